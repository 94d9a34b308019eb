namespace Archiver.Core.Configuration;

/// <summary>The value of this option is never shown, in no message, whatever is wrong with it.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecretAttribute : Attribute;
