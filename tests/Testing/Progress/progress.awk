# Sums up what ProgressLog wrote: awk -f progress.awk [-v slowest=10] FILES. One line of counts with the classes that run now;
# or, with slowest=N, the N classes whose tests took longest.
BEGIN { FS = "\t" }
$1 == "running" { running[$4] = $3; next }
{ n[$1]++; seconds[$3] += $2; tests[$3]++; delete running[$4] }
END {
  if (slowest) {
    sort = "sort -rn | head -n " slowest
    for (class in seconds) printf "%8.1f s  %3d tests  %s\n", seconds[class], tests[class], class | sort
    close(sort)
    exit
  }
  printf "%d passed, %d failed%s", n["passed"], n["failed"], n["skipped"] ? ", " n["skipped"] " skipped" : ""
  for (id in running) classes[running[id]]
  separator = "; now "
  for (class in classes) { printf "%s%s", separator, class; separator = ", " }
  print ""
}
