using Archiver.Testing;

[assembly: AssemblyFixture(typeof(TestServers))]
