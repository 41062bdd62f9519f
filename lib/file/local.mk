# logs: records from packet cores to files, pipes and sockets
libcore_la_SOURCES += lib/core/poll.c %D%/log.c %D%/log.h %D%/log_future.c %D%/records.c %D%/records.h \
    %D%/log_uring.c %D%/log_uring.h %D%/target.c %D%/target.h %D%/writer.c

weirinclude_HEADERS += include/weir/log.h

UNIT_TESTS += tests/unit/test_records tests/unit/test_log
tests_unit_test_records_SOURCES = tests/unit/test_records.c
tests_unit_test_records_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_records_LDADD   = libcore.la $(CMOCKA_LIBS)

tests_unit_test_log_SOURCES  = tests/unit/test_log.c tests/unit/log_help.h tests/unit/future_help.h
tests_unit_test_log_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_log_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_log_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_log_target
tests_unit_test_log_target_SOURCES  = tests/unit/test_log_target.c tests/unit/log_help.h \
                                      tests/unit/future_help.h
tests_unit_test_log_target_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_log_target_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_log_target_LDADD    = libcore.la $(CMOCKA_LIBS)

# The same through io_uring, where it can be had.
UNIT_TESTS += tests/unit/test_log_uring
tests_unit_test_log_uring_SOURCES  = tests/unit/test_log_target.c tests/unit/log_help.h \
                                     tests/unit/future_help.h
tests_unit_test_log_uring_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -DWITH_URING=true
tests_unit_test_log_uring_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_log_uring_LDADD    = libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_settle
tests_unit_test_settle_SOURCES  = tests/unit/test_settle.c tests/unit/log_help.h
tests_unit_test_settle_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_settle_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_settle_LDADD    = libtestsupport.la libcore.la $(CMOCKA_LIBS)

UNIT_TESTS += tests/model/test_log_model
tests_model_test_log_model_SOURCES  = tests/model/test_log_model.c tests/unit/log_help.h \
                                      tests/unit/future_help.h
tests_model_test_log_model_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_model_test_log_model_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_model_test_log_model_LDADD    = libcore.la $(CMOCKA_LIBS)
