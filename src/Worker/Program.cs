using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Worker;
using Archiver.Worker.Commands;
using Archiver.Worker.Configuration;
using Archiver.Worker.Jobs;
using Archiver.Worker.Logging;
using Archiver.Worker.Output;
using Serilog;

NativeHeap.KeepSmall();
var terminal = new Terminal();
try
{
    var (arguments, overrides) = ConfigurationArguments.Split(args);
    var parse = ArchiverCommandLine.Create((verb, parse, token) => RunAsync(verb, parse, overrides, token)).Parse(arguments);
    return await ArchiverCommandLine.InvokeAsync(parse, terminal);
}
catch (Exception exception)
{
    return Failure.Report(exception, terminal);
}
finally
{
    await Log.CloseAndFlushAsync();
}

// The composition of one verb: configuration, log, services. The worker's host gets the same settings and services.
async Task<int> RunAsync(Type verb, System.CommandLine.ParseResult parse, string[] overrides, CancellationToken cancellationToken)
{
    var configuration = ConfigurationFiles.Load(parse.GetValue(ArchiverCommandLine.Config), overrides);
    var settings = ArchiverConfiguration.Read(configuration, CronProblem.Of);
    Log.Logger = LogSetup.Create(configuration, terminal, quiet: verb != typeof(RunVerb));
#pragma warning disable ASP0000 // There is no host around a verb: this is its only container.
    await using var services = new ServiceCollection()
        .AddSingleton(configuration)
        .AddSingleton(terminal)
        .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddSerilog(Log.Logger))
        .AddArchiverCore(settings)
        .AddArchiverWorker(settings)
        .BuildServiceProvider();
#pragma warning restore ASP0000
    return await ((IVerb)services.GetRequiredService(verb)).ExecuteAsync(parse, cancellationToken);
}
