using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using PaDiM.Service.Access;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;
using PaDiM.Service.Scoring;

namespace PaDiM.Service.OpenInference;

/// <summary><c>/v2/models</c> and <c>/v2/repository</c>: metadata, readiness, statistics and the index.</summary>
internal static class ModelEndpoints
{
    public const string Platform = "padim_safetensors";
    private const int MaxIndexBody = 1 << 16;

    public static void MapProtocolModels(this RouteGroupBuilder protocol)
    {
        protocol.MapGet("models/stats", (Caller caller, ScoreTally tally) => GetStatistics(caller, tally, null, null));
        protocol.MapPost(
            "repository/index",
            async (HttpRequest request, Caller caller, ModelIndex index, CancellationToken cancellationToken) =>
                (await ReadReadyOnlyAsync(request, cancellationToken)).Succeeded(out var isReadyOnly, out var problem)
                    ? (IResult)
                        TypedResults.Ok(
                            (await index.ListAsync(caller, cancellationToken)).Where(model =>
                                !isReadyOnly || model.State == IndexedModel.Ready
                            )
                        )
                    : problem
        );
        var model = protocol.MapGroup("models/{category}").AddEndpointFilter(CategoryName.Filter);
        foreach (var prefix in new[] { "", "versions/{version}" })
        {
            var version = model.MapGroup(prefix);
            version.MapGet("", GetMetadataAsync);
            version.MapGet("ready", GetReadyAsync).OnlyWhereScored();
            version.MapGet("stats", GetStatisticsAsync);
        }
    }

    /// <summary>Describes a model, with the versions that may be named.</summary>
    public static async Task<Outcome<MetadataResponse>> DescribeAsync(
        string category,
        int? version,
        ModelIndex index,
        CancellationToken cancellationToken
    )
    {
        if (!(await index.ListVersionsAsync(category, cancellationToken)).Succeeded(out var versions, out var problem))
            return problem;
        if (version is { } named && !versions.Contains(named))
            return Problems.ModelNotFound(category, named);
        return new MetadataResponse(
            category,
            [.. versions.Order().Select(one => one.ToString(CultureInfo.InvariantCulture))],
            Platform,
            [new TensorMetadata(ImageShape.InputName, ImageShape.Bytes, [-1])],
            [.. InferOutput.All.Select(output => new TensorMetadata(output.Name, output.Datatype, output.Shape))]
        );
    }

    /// <summary>Loads a model if it is not in memory, and gets the problem that it cannot score.</summary>
    public static async Task<Problem?> FindFaultAsync(
        string category,
        int? version,
        PartRegistry models,
        CancellationToken cancellationToken
    ) => (await models.AcquireAsync(category, version, cancellationToken)).Problem;

    private static async Task<IResult> GetMetadataAsync(
        string category,
        HttpContext context,
        ModelIndex index,
        CancellationToken cancellationToken
    ) =>
        ModelIndex.ParseVersion(category, context).Succeeded(out var version, out var problem)
            ? (await DescribeAsync(category, version, index, cancellationToken)).ToResult(TypedResults.Ok)
            : problem;

    private static async Task<IResult> GetReadyAsync(
        string category,
        HttpContext context,
        PartRegistry models,
        CancellationToken cancellationToken
    )
    {
        if (!ModelIndex.ParseVersion(category, context).Succeeded(out var version, out var problem))
            return problem;
        return await FindFaultAsync(category, version, models, cancellationToken) switch
        {
            null => TypedResults.Ok(new ModelReadyResponse(category, true)),
            { Status: StatusCodes.Status404NotFound } unknown => unknown,
            { } fault => TypedResults.Json(new ModelReadyResponse(category, false), statusCode: fault.Status),
        };
    }

    private static async Task<IResult> GetStatisticsAsync(
        string category,
        HttpContext context,
        Caller caller,
        ModelIndex index,
        ScoreTally tally,
        CancellationToken cancellationToken
    )
    {
        if (!ModelIndex.ParseVersion(category, context).Succeeded(out var version, out var problem))
            return problem;
        // Also says that there is no such model.
        return (await DescribeAsync(category, version, index, cancellationToken)).ToResult(_ =>
            GetStatistics(caller, tally, category, version)
        );
    }

    private static Ok<StatisticsResponse> GetStatistics(
        Caller caller,
        ScoreTally tally,
        string? category,
        int? version
    ) =>
        TypedResults.Ok(
            new StatisticsResponse([
                .. tally
                    .List()
                    .Where(model =>
                        caller.MaySee(model.Category)
                        && (category is null || model.Category == category)
                        && (version is null || model.Version == version)
                    )
                    .Select(ModelStatistics.From),
            ])
        );

    /// <summary>Reads the body of a request for the index, which may be empty.</summary>
    private static async Task<Outcome<bool>> ReadReadyOnlyAsync(
        HttpRequest request,
        CancellationToken cancellationToken
    )
    {
        ImageRequest.SetLimit(request, MaxIndexBody);
        using var text = new StreamReader(request.Body);
        var body = await text.ReadToEndAsync(cancellationToken);
        if (string.IsNullOrWhiteSpace(body))
            return false;
        try
        {
            using var json = System.Text.Json.JsonDocument.Parse(body);
            return json.RootElement.TryGetProperty("ready", out var ready)
                && ready.ValueKind == System.Text.Json.JsonValueKind.True;
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
        {
            return Problems.InvalidRequest("The body of a request for the index is {} or {\"ready\": true}.");
        }
    }

    internal sealed record MetadataResponse(
        string Name,
        IReadOnlyList<string> Versions,
        string Platform,
        IReadOnlyList<TensorMetadata> Inputs,
        IReadOnlyList<TensorMetadata> Outputs
    );

    internal sealed record TensorMetadata(string Name, string Datatype, IReadOnlyList<long> Shape);

    private sealed record ModelReadyResponse(string Name, bool Ready);

    private sealed record StatisticsResponse(
        [property: JsonPropertyName("model_stats")] IReadOnlyList<ModelStatistics> Models
    );
}
