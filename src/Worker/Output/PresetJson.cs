namespace Archiver.Worker.Output;

/// <summary>A preset as <c>presets --json</c> prints it.</summary>
internal sealed record PresetJson(string Name, string Application, string Version);
