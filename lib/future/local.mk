# futures, taps, the core they run on
libcore_la_SOURCES += \
    lib/core/core.c lib/core/core.h lib/core/order.c lib/core/order.h lib/core/ring.c lib/core/ring.h \
    lib/core/submit.c lib/core/wheel.c lib/core/wheel.h \
    %D%/cancel.c %D%/cell.c %D%/cell.h %D%/co.c %D%/combine.c %D%/debug.c %D%/future.c \
    %D%/report.c %D%/sem.c %D%/tap.c %D%/timer.c

weirinclude_HEADERS += include/weir/future.h include/weir/tap.h include/weir/core.h \
    include/weir/submit.h

UNIT_TESTS += tests/model/test_future_model tests/model/test_tap_model
UNIT_TESTS += tests/unit/test_wheel tests/model/test_wheel_model tests/unit/test_ring tests/unit/test_future \
    tests/unit/test_cancel tests/unit/test_combine tests/unit/test_sem tests/unit/test_co \
    tests/unit/test_core tests/unit/test_tap

tests_unit_test_wheel_SOURCES = tests/unit/test_wheel.c
tests_unit_test_wheel_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_wheel_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_model_test_wheel_model_SOURCES = tests/model/test_wheel_model.c
tests_model_test_wheel_model_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_wheel_model_LDADD   = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_submit
tests_unit_test_submit_SOURCES = tests/unit/test_submit.c
tests_unit_test_submit_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_submit_LDADD   = libcore.la $(CMOCKA_LIBS) -lpthread

UNIT_TESTS += tests/unit/test_order
tests_unit_test_order_SOURCES = tests/unit/test_order.c
tests_unit_test_order_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_order_LDADD   = libcore.la $(CMOCKA_LIBS) -lpthread

tests_unit_test_ring_SOURCES = tests/unit/test_ring.c
tests_unit_test_ring_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_ring_LDADD   = libcore.la $(CMOCKA_LIBS) -lpthread

tests_unit_test_future_SOURCES = tests/unit/test_future.c tests/unit/future_help.h
tests_unit_test_future_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_future_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_cancel_SOURCES = tests/unit/test_cancel.c tests/unit/future_help.h
tests_unit_test_cancel_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_cancel_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_combine_SOURCES = tests/unit/test_combine.c tests/unit/future_help.h
tests_unit_test_combine_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_combine_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_sem_SOURCES = tests/unit/test_sem.c tests/unit/future_help.h
tests_unit_test_sem_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_sem_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_co_SOURCES = tests/unit/test_co.c tests/unit/future_help.h
tests_unit_test_co_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_co_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_core_SOURCES = tests/unit/test_core.c tests/unit/future_help.h
tests_unit_test_core_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_core_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_tap_SOURCES = tests/unit/test_tap.c tests/unit/future_help.h
tests_unit_test_tap_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_tap_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_model_test_future_model_SOURCES = tests/model/test_future_model.c tests/unit/future_help.h
tests_model_test_future_model_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_future_model_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_model_test_tap_model_SOURCES = tests/model/test_tap_model.c tests/unit/future_help.h
tests_model_test_tap_model_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_tap_model_LDADD   = libcore.la $(CMOCKA_LIBS)
