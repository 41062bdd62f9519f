# man
dist_man_MANS += %D%/weir.1 %D%/weir-top.1
if HAVE_HS
dist_man_MANS += %D%/weir-ids.1
else
EXTRA_DIST += %D%/weir-ids.1
endif

if HAVE_PRADS
dist_man_MANS += %D%/weir-prads.1
else
EXTRA_DIST += %D%/weir-prads.1
endif

# The library: a page a subject, and for each call that it names a link of one line to it.
MAN3_PAGES = %D%/weir_api.3 %D%/weir_combine.3 %D%/weir_core.3 %D%/weir_coroutine.3 \
    %D%/weir_error.3 %D%/weir_event.3 %D%/weir_event_define.3 %D%/weir_flow.3 %D%/weir_future.3 %D%/weir_log.3 %D%/weir_monitor.3 \
    %D%/weir_packet.3 %D%/weir_port.3 %D%/weir_sem.3 %D%/weir_shared.3 %D%/weir_submit.3 %D%/weir_tap.3 %D%/weir_typed.3 \
    %D%/weir_verdict.3
dist_man_MANS += $(MAN3_PAGES)
EXTRA_DIST += %D%/names.awk tests/man
dist_check_SCRIPTS += tests/check_man.sh

install-data-hook:
	@for path in $(MAN3_PAGES); do \
	    page=`basename $$path`; \
	    for name in `$(AWK) -f $(srcdir)/%D%/names.awk $(srcdir)/$$path`; do \
	        link="$(DESTDIR)$(man3dir)/$$name.3"; \
	        test $$name.3 = $$page || { echo ".so man3/$$page" >"$$link" && chmod 644 "$$link"; } || exit 1; \
	    done; \
	done

uninstall-hook:
	@for path in $(MAN3_PAGES); do \
	    for name in `$(AWK) -f $(srcdir)/%D%/names.awk $(srcdir)/$$path`; do \
	        rm -f "$(DESTDIR)$(man3dir)/$$name.3"; \
	    done; \
	done
