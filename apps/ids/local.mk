# apps/ids
