using Archiver.Worker;
using Archiver.Worker.Configuration;
using Archiver.Worker.Jobs;

NativeHeap.KeepSmall();
using var signals = new StopSignals();
return await ArchiverApplication.RunAsync(
    args,
    ProcessEnvironment.OfProcess(),
    Console.OpenStandardInput(),
    Console.OpenStandardOutput(),
    Console.OpenStandardError(),
    signals.Token
);
