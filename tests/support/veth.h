/* A pair of interfaces in a network namespace of the test's own, where root may make one. */
#ifndef WEIR_TEST_VETH_H
#define WEIR_TEST_VETH_H

#include <stdbool.h>

/* Change interfaces by words of ip(8). */
bool ip(const char *words);

/*
 * weir0 and weir1, which are up, and a packet socket at weir0 that takes in frames of a protocol
 * (0: it only sends). -1: nothing can be tried here.
 */
int veth_pair(int protocol);

#endif
