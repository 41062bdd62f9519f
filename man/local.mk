# man
dist_man_MANS += %D%/weir.1
