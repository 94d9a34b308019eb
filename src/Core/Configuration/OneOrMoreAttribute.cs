namespace Archiver.Core.Configuration;

/// <summary>Marks a list for which a single value is short.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OneOrMoreAttribute : Attribute;
