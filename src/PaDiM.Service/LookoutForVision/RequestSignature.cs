using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Features;
using PaDiM.Service.Http;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// The signature of a request (AWS Signature Version 4, in the header <c>Authorization</c>), and what it covers.
/// </summary>
internal sealed partial class RequestSignature
{
    public const string Algorithm = "AWS4-HMAC-SHA256";

    private const string Terminator = "aws4_request",
        Service = "lookoutvision",
        DateHeader = "x-amz-date",
        TokenHeader = "x-amz-security-token",
        HashHeader = "x-amz-content-sha256",
        Host = "host",
        DateFormat = "yyyyMMdd'T'HHmmss'Z'",
        Unsigned = "UNSIGNED-PAYLOAD";
    private const int MaxLength = 4096;

    /// <summary>How far the clock of a client may be off.</summary>
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    private static readonly SearchValues<char> Unreserved = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
    );

    private readonly HttpRequest _request;
    private readonly string _date,
        _scope;
    private readonly string[] _headers;
    private readonly byte[] _signature;

    private RequestSignature(
        HttpRequest request,
        string accessKeyId,
        string date,
        string scope,
        string[] headers,
        byte[] signature
    )
    {
        _request = request;
        AccessKeyId = accessKeyId;
        _date = date;
        _scope = scope;
        _headers = headers;
        _signature = signature;
    }

    /// <summary>Gets the identifier of the key that signed.</summary>
    public string AccessKeyId { get; }

    /// <summary>Gets the session token, which is the key itself.</summary>
    public string Token => _request.Headers[TokenHeader].ToString();

    /// <summary>Gets the hash of the body that was signed; null if the request does not name it.</summary>
    public string? ClaimedHash => _request.Headers[HashHeader] is [{ } hash] ? hash : null;

    /// <summary>Gets whether the body is not signed.</summary>
    public bool LeavesBodyOut => ClaimedHash == Unsigned;

    /// <summary>Reads the signature of a request, and checks what is around it.</summary>
    public static Outcome<RequestSignature> Read(HttpRequest request, DateTimeOffset now)
    {
        var headers = request.Headers;
        if (
            headers.Authorization is not [{ Length: <= MaxLength } text]
            || Form().Match(text) is not { Success: true } match
        )
            return Refuse(
                $"the header Authorization is not '{Algorithm} Credential=ID/DATE/REGION/{Service}/{Terminator}, "
                    + "SignedHeaders=..., Signature=...'"
            );
        var date = headers[DateHeader].ToString();
        if (
            !DateTimeOffset.TryParseExact(
                date,
                DateFormat,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var at
            )
        )
            return Refuse("the header X-Amz-Date is not a time such as 20261130T120000Z");
        if ((now - at).Duration() > MaxSkew)
            return Refuse(
                $"it was signed at {date}, and it is {now.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture)} "
                    + "here: more than 15 minutes apart"
            );
        if (match.Groups["date"].Value != date[..8])
            return Refuse("the date of its credential is not that of X-Amz-Date");
        var signed = match.Groups["headers"].Value.Split(';');
        string[] needed = headers.ContainsKey(HashHeader)
            ? [Host, DateHeader, TokenHeader, HashHeader]
            : [Host, DateHeader, TokenHeader];
        if (needed.FirstOrDefault(name => !signed.Contains(name, StringComparer.Ordinal)) is { } missing)
            return missing == TokenHeader && !headers.ContainsKey(TokenHeader)
                ? Problems.TokenMissing()
                : Refuse($"it does not cover the header {missing}");
        return new RequestSignature(
            request,
            match.Groups["id"].Value,
            date,
            match.Groups["scope"].Value,
            signed,
            Convert.FromHexString(match.Groups["signature"].Value)
        );
    }

    /// <summary>Gets the problem of a signature that does not hold.</summary>
    public static Problem Refuse(string why) => Problems.SignatureInvalid(why);

    /// <summary>Compares the signature with the one that a secret gives, in constant time.</summary>
    /// <param name="secret">The secret access key.</param>
    /// <param name="bodyHash">The hash of the body, or what stands in its place.</param>
    public bool Matches(string secret, string bodyHash)
    {
        var canonical = Hash(Encoding.UTF8.GetBytes(CreateCanonicalRequest(bodyHash)));
        var key = Encoding.UTF8.GetBytes($"AWS4{secret}");
        foreach (var part in _scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        var expected = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{Algorithm}\n{_date}\n{_scope}\n{canonical}"));
        return CryptographicOperations.FixedTimeEquals(expected, _signature);
    }

    /// <summary>Computes a hash as it is written in requests.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private string CreateCanonicalRequest(string bodyHash)
    {
        var (path, query) = GetTarget();
        var text = new StringBuilder();
        text.Append(_request.Method).Append('\n');
        // The path as it was sent is encoded once more, except by S3.
        text.AppendJoin('/', path.Split('/').Select(Encode)).Append('\n');
        text.Append(CreateCanonicalQuery(query)).Append('\n');
        foreach (var name in _headers)
            text.Append(name).Append(':').Append(GetValue(name)).Append('\n');
        return text.Append('\n').AppendJoin(';', _headers).Append('\n').Append(bodyHash).ToString();
    }

    /// <summary>Gets the path and the query as the client sent them, with what a proxy has removed in front.</summary>
    private (string Path, string Query) GetTarget()
    {
        var target = _request.HttpContext.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var end = target.IndexOf('?', StringComparison.Ordinal);
        var path = end < 0 ? target : target[..end];
        var prefix = _request.PathBase.ToUriComponent();
        if (prefix.Length > 0 && !path.StartsWith($"{prefix}/", StringComparison.Ordinal))
            path = prefix + path;
        return (path, end < 0 ? "" : target[(end + 1)..]);
    }

    private static string CreateCanonicalQuery(string query) =>
        string.Join(
            '&',
            query
                .Split('&', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('=', 2))
                .Select(pair => (Name: Recode(pair[0]), Value: pair.Length > 1 ? Recode(pair[1]) : ""))
                .OrderBy(pair => pair.Name, StringComparer.Ordinal)
                .ThenBy(pair => pair.Value, StringComparer.Ordinal)
                .Select(pair => $"{pair.Name}={pair.Value}")
        );

    private static string Recode(string text) => Encode(Uri.UnescapeDataString(text));

    /// <summary>Encodes everything but unreserved characters, in the form that signatures have.</summary>
    private static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Unreserved))
            return text;
        var encoded = new StringBuilder();
        foreach (var one in Encoding.UTF8.GetBytes(text))
            if (one < 0x80 && Unreserved.Contains((char)one))
                encoded.Append((char)one);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        return encoded.ToString();
    }

    private string GetValue(string name) =>
        string.Join(',', _request.Headers[name].Select(value => Spaces().Replace(value?.Trim() ?? "", " ")));

    [GeneratedRegex(
        @"\AAWS4-HMAC-SHA256\s+Credential=(?<id>[\w-]{1,128})/(?<scope>(?<date>\d{8})/[\w-]{1,64}/lookoutvision/aws4_request)"
            + @"\s*,\s*SignedHeaders=(?<headers>[a-z0-9-]+(;[a-z0-9-]+)*)\s*,\s*Signature=(?<signature>[0-9a-f]{64})\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Form();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
