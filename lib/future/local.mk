# futures, taps, the core they run on
