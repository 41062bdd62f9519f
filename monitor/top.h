/* weir top: what a running program counts, and how fast. */
#ifndef WEIR_TOP_H
#define WEIR_TOP_H

/* argv[0] is "top". Returns the exit code. */
int top_main(int argc, char **argv);

#endif
