1:64:53,255:.:.:Linux:small
