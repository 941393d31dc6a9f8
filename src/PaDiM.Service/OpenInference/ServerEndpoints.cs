using Microsoft.Extensions.Diagnostics.HealthChecks;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.OpenInference;

/// <summary><c>/v2</c>: what the server is, and whether it lives and scores.</summary>
internal static class ServerEndpoints
{
    public const string Name = "padim";

    /// <summary>The extensions of the protocol that the server has, by the names that Triton gave them.</summary>
    public static readonly string[] Extensions =
    [
        "binary_tensor_data",
        "model_repository(index)",
        Parameters,
        "statistics",
    ];

    /// <summary>Those that the gRPC service has.</summary>
    public static readonly string[] GrpcExtensions = [Parameters];

    private const string Parameters = "parameters";

    public static void MapProtocolServer(this RouteGroupBuilder protocol)
    {
        protocol.MapGet("", () => TypedResults.Ok(new ServerResponse(Name, ServiceVersion.Current, Extensions)));
        protocol.MapGet("health/live", () => TypedResults.Ok(new LiveResponse(true))).AllowAnonymous();
        protocol
            .MapGet(
                "health/ready",
                async (HealthCheckService checks, CancellationToken cancellationToken) =>
                {
                    var isReady = await IsReadyAsync(checks, cancellationToken);
                    return TypedResults.Json(
                        new ReadyResponse(isReady, isReady),
                        statusCode: isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable
                    );
                }
            )
            .AllowAnonymous();
    }

    /// <summary>Gets whether the replica scores: every check, as for <c>/health/score</c>.</summary>
    public static async Task<bool> IsReadyAsync(HealthCheckService checks, CancellationToken cancellationToken) =>
        (await checks.CheckHealthAsync(_ => true, cancellationToken)).Status != HealthStatus.Unhealthy;

    private sealed record ServerResponse(string Name, string Version, string[] Extensions);

    private sealed record LiveResponse(bool Live);

    /// <param name="Live">The same: the specification names the member so, its OpenAPI description does not.</param>
    /// <param name="Ready">Whether the server scores.</param>
    private sealed record ReadyResponse(bool Live, bool Ready);
}
