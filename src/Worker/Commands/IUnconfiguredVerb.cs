namespace Archiver.Worker.Commands;

/// <summary>A verb that works before there is a configuration; none is read for it.</summary>
internal interface IUnconfiguredVerb : IVerb;
