# man
dist_man_MANS += %D%/weir.1
if HAVE_HS
dist_man_MANS += %D%/weir-ids.1
else
EXTRA_DIST += %D%/weir-ids.1
endif
