using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// Limits the requests per caller: one token bucket per key or token, or per address while access is open. It refills
/// evenly and holds one minute's worth. Replicas on PostgreSQL share the buckets of keys and tokens
/// (<see cref="SharedLimits"/>); those of addresses they do not, so that no request without a key causes a query. Failed attempts
/// are counted per address in a separate bucket. This locks no one out: valid credentials pass however many failures came
/// from the same address.
/// </summary>
internal sealed class RateLimits : IConfigureOptions<RateLimiterOptions>, IDisposable
{
    private readonly PartitionedRateLimiter<HttpContext> _attempts;
    private readonly AccessOptions _options;
    private readonly SharedLimits? _shared;

    public RateLimits(IOptions<AccessOptions> options, IDatabaseEngine engine, SharedLimits shared)
    {
        _options = options.Value;
        _shared = engine is PostgresEngine ? shared : null;
        _attempts = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            CreateBucket(GetAddress(context), _options.FailedAttemptsPerMinute)
        );
    }

    public void Configure(RateLimiterOptions limiter)
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            KeyAuthentication.AllowsAnonymous(context) ? RateLimitPartition.GetNoLimiter("") : CreatePartition(context)
        );
        limiter.OnRejected = async (rejected, _) =>
            await Problems.RateLimited(GetRetryAfter(rejected.Lease)).ExecuteAsync(rejected.HttpContext);
    }

    /// <summary>
    /// Counts a failed authentication. Returns the problem to answer with: the given one, or that the address had too
    /// many.
    /// </summary>
    public Problem Challenge(HttpContext context, Problem problem, bool isRefused)
    {
        using var lease = _attempts.AttemptAcquire(context);
        if (!lease.IsAcquired)
            return Problems.RateLimited(GetRetryAfter(lease));
        context.Response.Headers.WWWAuthenticate = isRefused
            ? "Bearer realm=\"padim\", error=\"invalid_token\""
            : "Bearer realm=\"padim\"";
        return problem;
    }

    public void Dispose() => _attempts.Dispose();

    private RateLimitPartition<string> CreatePartition(HttpContext context) =>
        FindCaller(context) is not { } caller ? CreateBucket(GetAddress(context), _options.RequestsPerMinute)
        : _shared is null || _options.RequestsPerMinute == 0 ? CreateBucket(caller, _options.RequestsPerMinute)
        : RateLimitPartition.Get(caller, _shared.GetLimiter);

    private static RateLimitPartition<string> CreateBucket(string partition, int perMinute)
    {
        if (perMinute == 0)
            return RateLimitPartition.GetNoLimiter("");
        var tokens = (perMinute + 59) / 60;
        return RateLimitPartition.GetTokenBucketLimiter(
            partition,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = perMinute,
                TokensPerPeriod = tokens,
                ReplenishmentPeriod = TimeSpan.FromMinutes((double)tokens / perMinute),
                QueueLimit = 0,
            }
        );
    }

    private static string? FindCaller(HttpContext context) =>
        context.User.Identity is Caller { Name: not Caller.AnonymousName } caller ? caller.KeyId ?? caller.Name : null;

    /// <summary>For IPv6 the /64 network, because one host has 2^64 addresses in it.</summary>
    private static string GetAddress(HttpContext context) =>
        context.Connection.RemoteIpAddress switch
        {
            null => "",
            { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } address => new IPAddress([
                .. address.GetAddressBytes().AsSpan(0, 8),
                .. new byte[8],
            ]).ToString(),
            { } address => address.MapToIPv4().ToString(),
        };

    private static int GetRetryAfter(RateLimitLease lease) =>
        lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
            ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds))
            : 1;
}
