#!/bin/sh
# The programs inline: what rules drop, and DPDK's ports.
exec sh "${srcdir:?}/tests/check_inline.sh" attacks dpdk
