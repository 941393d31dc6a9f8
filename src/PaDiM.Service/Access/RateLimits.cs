using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;

namespace PaDiM.Service.Access;

/// <summary>
/// How much one caller may ask: a bucket that fills evenly and holds a minute's worth, one for each key or token, by
/// address where access is open. Failed attempts are counted by address besides. They lock nobody out: right
/// credentials are let in however many wrong ones came from the same address.
/// </summary>
internal sealed class RateLimits : IConfigureOptions<RateLimiterOptions>, IDisposable
{
    private readonly PartitionedRateLimiter<HttpContext> _attempts;
    private readonly AccessOptions _options;

    public RateLimits(IOptions<AccessOptions> options)
    {
        _options = options.Value;
        _attempts = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            Bucket(AddressOf(context), _options.FailedAttemptsPerMinute)
        );
    }

    public void Configure(RateLimiterOptions limiter)
    {
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
            KeyAuthentication.IsForEveryone(context)
                ? RateLimitPartition.GetNoLimiter("")
                : Bucket(CallerOf(context), _options.RequestsPerMinute)
        );
        limiter.OnRejected = async (rejected, _) =>
            await Problems.RateLimited(SecondsUntil(rejected.Lease)).ExecuteAsync(rejected.HttpContext);
    }

    /// <summary>
    /// Counts a failed attempt to say who one is; the problem when there were too many from its address.
    /// </summary>
    public Problem? RefuseAttempt(HttpContext context)
    {
        using var lease = _attempts.AttemptAcquire(context);
        return lease.IsAcquired ? null : Problems.RateLimited(SecondsUntil(lease));
    }

    public void Dispose() => _attempts.Dispose();

    private static RateLimitPartition<string> Bucket(string partition, int perMinute)
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

    private static string CallerOf(HttpContext context) =>
        context.User.Identity is Caller { Name: not Caller.AnonymousName } caller
            ? caller.KeyId ?? caller.Name
            : AddressOf(context);

    /// <summary>Of IPv6 the network, since whoever has one address there has 2^64.</summary>
    private static string AddressOf(HttpContext context) =>
        context.Connection.RemoteIpAddress switch
        {
            null => "",
            { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } address => new IPAddress([
                .. address.GetAddressBytes().AsSpan(0, 8),
                .. new byte[8],
            ]).ToString(),
            { } address => address.MapToIPv4().ToString(),
        };

    private static int SecondsUntil(RateLimitLease lease) =>
        lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
            ? Math.Max(1, (int)Math.Ceiling(after.TotalSeconds))
            : 1;
}
