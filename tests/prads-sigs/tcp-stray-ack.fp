*:64:1:0:.:ZA:Linux:talking
