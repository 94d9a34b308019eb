namespace Archiver.Testing;

/// <summary>Where an S3 server is and who may use it.</summary>
public sealed record S3Address(Uri Endpoint, string AccessKey, string SecretKey);
