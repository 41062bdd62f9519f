/* Runs a fuzz target over files or folders: builds without libFuzzer test the corpora with it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_run;

static int
one_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size > 0 ? size : 1); /* exact size: ASan sees the byte behind */
    FILE *f = fopen(path, "rb");
    int rc = -1;

    if (f == NULL || data == NULL || fread(data, 1, size, f) != size) {
        perror(path);
    } else {
        LLVMFuzzerTestOneInput(data, size);
        n_run++;
        rc = 0;
    }
    if (f != NULL)
        fclose(f);
    free(data);
    return rc;
}

static int
one_path(const char *path)
{
    char sub[4096];
    struct dirent *entry;
    struct stat st;
    int rc = 0;
    DIR *dir;

    if (stat(path, &st) != 0) {
        perror(path);
        return -1;
    }
    if (!S_ISDIR(st.st_mode))
        return one_file(path, (size_t)st.st_size);
    dir = opendir(path);
    if (dir == NULL) {
        perror(path);
        return -1;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(sub, sizeof(sub), "%s/%s", path, entry->d_name) >= (int)sizeof(sub) ||
            one_path(sub) != 0)
            rc = -1;
    }
    closedir(dir);
    return rc;
}

int
main(int argc, char **argv)
{
    int rc = 0;

    for (int i = 1; i < argc; i++)
        if (argv[i][0] != '-' && one_path(argv[i]) != 0) /* -runs=0 is for libFuzzer */
            rc = 1;
    printf("%u inputs\n", n_run);
    return n_run == 0 ? 1 : rc;
}
