using Archiver.Testing;
using Xunit.v3;

[assembly: AssemblyFixture(typeof(TestServers))]
[assembly: TestCollectionOrderer(typeof(LongestFirst))]
// One more than there are cores: what it waits for is processes, times of a schedule and servers that come back.
[assembly: Parallelization(MaxThreads = 3)]
