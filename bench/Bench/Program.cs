using Archiver.Bench;

// What bench/run.sh and bench/memory.sh start. Results go to --output, progress to stderr, the summary to stdout.
if (args is ["duck", .. var duck])
    return await DuckAlone.RunAsync(duck);
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
try
{
    var options = BenchOptions.Parse(args);
    var environment = BenchEnvironment.Read();
    var result = options.Command switch
    {
        "long" => await new LongRun(options, environment).RunAsync(stop.Token),
        "memory" => await new HugeSessions(environment).RunAsync(stop.Token),
        _ => await new Comparison(options, environment).RunAsync(stop.Token),
    };
    await result.WriteAsync(Path.Combine(options.Output, "results"), stop.Token);
    await ResultsPage.WriteAsync(options.Output, stop.Token);
    foreach (var row in result.Rows)
        Console.WriteLine($"{row.Name, -32} {row.Sessions, 8} sessions {row.Seconds, 9:0.000} s {row.PerSecond, 9:0} sessions/s");
    foreach (var ratio in result.Ratios)
        Console.WriteLine(
            $"{ratio.Name, -48} {ratio.Value, 8:0.##} {ratio.Unit, -3} {ratio.Bound} {ratio.Limit:0.##}  {(ratio.Met ? "met" : "NOT MET")}"
        );
    return 0;
}
catch (ArgumentException exception)
{
    await Console.Error.WriteLineAsync($"bench: {exception.Message}");
    return 2;
}
