using Archiver.Testing;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(TestServers))]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
// Twice the cores: what it waits for is processes, times of a schedule and servers that come back, and it is the longer one of the
// assemblies that run at a time.
[assembly: Parallelization(MaxThreads = 4)]
