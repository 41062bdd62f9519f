# The calls that a manual page names in its section NAME, one a line.
/^\.Sh / { in_name = $2 == "NAME" }
in_name && /^\.Nm / { print $2 }
