using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Extensions.Options;

namespace PaDiM.Service.Http;

/// <summary>
/// Lets web pages of the origins in the settings call the service from a browser (CORS). Without such origins, answers
/// carry no CORS headers, and browsers keep them from other sites.
/// </summary>
internal static class CrossOrigin
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    /// <summary>Response headers that a script may read, apart from those that it always may.</summary>
    private static readonly string[] ExposedHeaders =
    [
        .. ResultHeaders.Names,
        ResultHeaders.IgnoredFields,
        ResultHeaders.Replica,
        RequestIdentity.PartHeader,
        RequestIdentity.InspectionHeader,
        RequestIdentity.RequestHeader,
        "Accept-Encoding",
        "Accept-Ranges",
        "Allow",
        "Content-Disposition",
        "Content-Range",
        "ETag",
        "Location",
        "Retry-After",
        "WWW-Authenticate",
    ];

    public static IServiceCollection AddCrossOrigin(this IServiceCollection services)
    {
        services.AddPadimOptions<CrossOriginOptions>().AddCors();
        services
            .AddOptions<CorsOptions>()
            .Configure<IOptions<CrossOriginOptions>>(
                (cors, options) => cors.AddDefaultPolicy(policy => Configure(policy, options.Value))
            );
        return services;
    }

    /// <summary>Answers preflights, before a key is asked for: browsers send none with them.</summary>
    public static void UseCrossOrigin(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<CrossOriginOptions>>().Value.AllowedOrigins.Length > 0)
            app.UseCors();
    }

    /// <summary>
    /// Credentials in the sense of CORS (cookies, client certificates) are never allowed: keys and tokens are headers
    /// that the script sets itself.
    /// </summary>
    private static void Configure(CorsPolicyBuilder policy, CrossOriginOptions options)
    {
        policy.AllowAnyMethod().AllowAnyHeader().WithExposedHeaders(ExposedHeaders).SetPreflightMaxAge(PreflightAge);
        if (options.AllowsAny)
            policy.AllowAnyOrigin();
        else
            policy.WithOrigins(options.AllowedOrigins);
    }
}
