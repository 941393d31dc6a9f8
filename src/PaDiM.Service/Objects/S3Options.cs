using System.Text.RegularExpressions;

namespace PaDiM.Service.Objects;

/// <summary>A bucket of an S3-compatible store, and how to reach it.</summary>
internal sealed partial class S3Options
{
    /// <summary>URL of the store; null for Amazon S3.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Name of the bucket, which must exist.</summary>
    public string? Bucket { get; set; }

    /// <summary>What the keys of all objects begin with, before a slash; null for nothing.</summary>
    public string? Prefix { get; set; }

    /// <summary>Region that requests are signed for; null for the one of the environment, or else us-east-1.</summary>
    public string? Region { get; set; }

    /// <summary>
    /// Whether the bucket is part of the path instead of the host; null for true where there is an endpoint.
    /// </summary>
    public bool? PathStyle { get; set; }

    /// <summary>Access key; null for the chain of the SDK: environment, profile, role of the machine.</summary>
    public string? AccessKeyId { get; set; }

    /// <summary>Secret of the access key.</summary>
    public string? SecretAccessKey { get; set; }

    /// <summary>When requests and answers have checksums beside the signature.</summary>
    public S3Checksums Checksums { get; set; }

    /// <summary>
    /// Seconds after which a request without progress has failed. It is tried four times before the store counts as
    /// away.
    /// </summary>
    public int TimeoutSeconds { get; set; } = 10;

    /// <summary>Gets what is wrong with the settings, or null.</summary>
    public string? Validate() =>
        string.IsNullOrEmpty(Bucket) ? "S3:Bucket is required with ObjectStore=s3."
        : !BucketName().IsMatch(Bucket)
            ? "S3:Bucket must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens."
        : Endpoint is not null && !IsUrl(Endpoint)
            ? "S3:Endpoint must be an http or https URL without path, query and credentials, such as "
                + "https://s3.example.com."
        : Prefix is not null && !PrefixName().IsMatch(Prefix)
            ? "S3:Prefix must be 1 to 200 letters, digits, dots, hyphens, underscores and slashes, without a slash at "
                + "its ends."
        : string.IsNullOrEmpty(AccessKeyId) != string.IsNullOrEmpty(SecretAccessKey)
            ? "S3:AccessKeyId and S3:SecretAccessKey belong together; leave out both to use the credentials of the "
                + "environment or of the machine."
        : TimeoutSeconds is < 1 or > 600 ? "S3:TimeoutSeconds must be between 1 and 600."
        : null;

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url.Scheme is "http" or "https"
        && url is { PathAndQuery: "/", UserInfo: "", Fragment: "" };

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z")]
    private static partial Regex BucketName();

    [GeneratedRegex(@"\A(?=.{1,200}\z)[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*\z")]
    private static partial Regex PrefixName();
}

/// <summary>When requests and answers have checksums beside the signature.</summary>
internal enum S3Checksums
{
    /// <summary>
    /// Where an operation requires one. Every object is compared with its SHA-256 anyway, and many stores know no
    /// others.
    /// </summary>
    WhenRequired,

    /// <summary>Wherever an operation supports one, as the SDK does by default.</summary>
    WhenSupported,
}
