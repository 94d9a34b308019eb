namespace Archiver.Core.Configuration;

/// <summary>
/// Marks a key that an explicit null or empty text unsets, where a preset has one. The binder does not tell a null from a key that is not
/// there.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class RoleAttribute : Attribute;
