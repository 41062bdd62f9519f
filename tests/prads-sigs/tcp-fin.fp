*:64:1:40:.:ZAFN:Linux:closing
