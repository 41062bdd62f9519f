# monitor: packets to flow events
libcore_la_SOURCES += %D%/checksum.c %D%/checksum.h %D%/decode.c %D%/decode.h %D%/engine.c \
    %D%/engine.h %D%/eve.c %D%/eve.h %D%/event.c %D%/flow.c %D%/reasm.c %D%/reasm.h %D%/segs.c %D%/segs.h %D%/shard.c \
    %D%/shard.h %D%/tcp_policy.c %D%/tcp_policy.h %D%/track.h %D%/track_tcp.c %D%/track_udp.c
