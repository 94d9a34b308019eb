using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Credentials of the AWS chain: variables, web identity (EKS), profile, container, instance. What goes wrong on the way to them is told
/// here, because to the request that needs them it would look like a fault of the store: the answer of the token service is an answer like
/// the store's.
/// </summary>
internal sealed class S3ChainCredentials(IClientConfig config, TimeSpan timeout, TimeProvider time) : AWSCredentials
{
    private const string Keys = "Archiver:Storage:AccessKey and Archiver:Storage:SecretKey";

    private AWSCredentials? _chosen;

    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().GetAwaiter().GetResult();

    /// <exception cref="StorageException">There are none, or their role was not given; the message says what to look at.</exception>
    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        try
        {
            // The SDK asks for a role with a client of its own, which nobody can cancel and which gives up after minutes.
            return await ReadAsync().WaitAsync(timeout, time);
        }
        catch (Exception exception) when (exception is not StorageException)
        {
            // Wrapped, so that nobody takes the token service's answer for the store's.
            throw Explain(new AmazonClientException(exception.Message, exception));
        }
    }

    private async Task<ImmutableCredentials> ReadAsync()
    {
        _chosen ??= await DefaultAWSCredentialsIdentityResolver.GetCredentialsAsync(config);
        return await _chosen.GetCredentialsAsync();
    }

    private StorageException Explain(Exception exception)
    {
        if (_chosen is null && exception.InnerException is TimeoutException)
            return new(
                StorageFailure.Transient,
                $"The AWS credential chain gave no answer within {timeout.TotalSeconds:0} s: check the "
                    + $"way to the metadata service of this machine, or set {Keys}.",
                exception
            );
        if (_chosen is null)
            return new(StorageFailure.Permanent, $"No AWS credentials were found: set {Keys}, or give the process a role.", exception);
        var role = _chosen switch
        {
            AssumeRoleWithWebIdentityCredentials web => $"the role {web.RoleArn}",
            AssumeRoleAWSCredentials assumed => $"the role {assumed.RoleArn}",
            _ => "this process",
        };
        for (var at = exception; at is not null; at = at.InnerException)
        {
            switch (at)
            {
                case AmazonServiceException
                {
                    StatusCode: >= HttpStatusCode.BadRequest
                        and < HttpStatusCode.InternalServerError
                        and not HttpStatusCode.TooManyRequests,
                    ErrorCode: not "Throttling"
                } answer:
                    return new(
                        StorageFailure.Permanent,
                        $"AWS did not give the credentials of {role} ({answer.ErrorCode}): its trust policy must allow this identity "
                            + $"(AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, or the profile of AWS_PROFILE). Or set {Keys}.",
                        exception
                    );
                case FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException:
                    return new(StorageFailure.Permanent, $"The credentials of {role} cannot be asked for: {at.Message}", exception);
                default:
                    break;
            }
        }
        return new(
            StorageFailure.Transient,
            $"The credentials of {role} could not be had ({exception.GetBaseException().Message}): check the way to AWS STS, and "
                + "AWS_REGION.",
            exception
        );
    }
}
