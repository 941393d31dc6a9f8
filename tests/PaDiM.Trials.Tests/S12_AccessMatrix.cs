using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using PaDiM.Engine.Evaluation;
using PaDiM.Service.Access;
using PaDiM.Service.Data;
using PaDiM.Service.Evaluations;
using PaDiM.Service.Http;
using PaDiM.Service.Jobs;
using PaDiM.Service.Learning;
using PaDiM.Service.TestSupport;

namespace PaDiM.Trials;

/// <summary>
/// S12: every route of the service, asked by every kind of caller. A route that is not in the table fails the trial.
/// </summary>
public sealed class S12_AccessMatrix : IAsyncLifetime
{
    private const string Ours = "flange",
        Other = "bolt";

    /// <summary>
    /// What each route is about: everybody (probes), no category, a category in its address, something of one, or the
    /// whole service.
    /// </summary>
    private enum About
    {
        Everybody,
        Nothing,
        Category,
        Job,
        Evaluation,
        Inspection,
        Service,
    }

    private static readonly Dictionary<string, (AccessScope Needed, About About)> Table = new()
    {
        ["GET /"] = (AccessScope.Score, About.Everybody),
        ["GET /console/{**path}"] = (AccessScope.Score, About.Everybody),
        ["GET /console/sign-in"] = (AccessScope.Score, About.Everybody),
        ["GET /console/assets/{name}"] = (AccessScope.Score, About.Everybody),
        ["GET /v1/session"] = (AccessScope.Score, About.Everybody),
        ["POST /v1/session"] = (AccessScope.Score, About.Everybody),
        ["DELETE /v1/session"] = (AccessScope.Score, About.Everybody),
        ["GET /health/live"] = (AccessScope.Score, About.Everybody),
        ["GET /health/ready"] = (AccessScope.Score, About.Everybody),
        ["GET /health/score"] = (AccessScope.Score, About.Everybody),
        ["GET /v1/system"] = (AccessScope.Score, About.Nothing),
        ["GET /v1/backbones"] = (AccessScope.Score, About.Nothing),
        ["GET /metrics"] = (AccessScope.Score, About.Service),
        ["GET /v1/categories"] = (AccessScope.Score, About.Nothing),
        ["GET /v1/categories/{category}"] = (AccessScope.Score, About.Category),
        ["GET /v1/categories/{category}/threshold"] = (AccessScope.Score, About.Category),
        ["GET /v1/categories/{category}/models"] = (AccessScope.Score, About.Category),
        ["GET /v1/categories/{category}/models/{version:int}"] = (AccessScope.Score, About.Category),
        ["POST /v1/categories/{category}/prefetch"] = (AccessScope.Score, About.Category),
        ["POST /v1/categories/{category}/score"] = (AccessScope.Score, About.Category),
        ["POST /v1/categories/{category}/score/batch"] = (AccessScope.Score, About.Category),
        ["GET /v2"] = (AccessScope.Score, About.Nothing),
        ["GET /v2/health/live"] = (AccessScope.Score, About.Everybody),
        ["GET /v2/health/ready"] = (AccessScope.Score, About.Everybody),
        ["POST /v2/repository/index"] = (AccessScope.Score, About.Nothing),
        ["GET /v2/models/stats"] = (AccessScope.Score, About.Nothing),
        ["GET /v2/models/{category}"] = (AccessScope.Score, About.Category),
        ["GET /v2/models/{category}/ready"] = (AccessScope.Score, About.Category),
        ["GET /v2/models/{category}/stats"] = (AccessScope.Score, About.Category),
        ["POST /v2/models/{category}/infer"] = (AccessScope.Score, About.Category),
        ["GET /v2/models/{category}/versions/{version}"] = (AccessScope.Score, About.Category),
        ["GET /v2/models/{category}/versions/{version}/ready"] = (AccessScope.Score, About.Category),
        ["GET /v2/models/{category}/versions/{version}/stats"] = (AccessScope.Score, About.Category),
        ["POST /v2/models/{category}/versions/{version}/infer"] = (AccessScope.Score, About.Category),
        ["POST /inference.GRPCInferenceService/ServerLive"] = (AccessScope.Score, About.Everybody),
        ["POST /inference.GRPCInferenceService/ServerReady"] = (AccessScope.Score, About.Everybody),
        ["POST /inference.GRPCInferenceService/ServerMetadata"] = (AccessScope.Score, About.Nothing),
        ["POST /inference.GRPCInferenceService/ModelReady"] = (AccessScope.Score, About.Nothing),
        ["POST /inference.GRPCInferenceService/ModelMetadata"] = (AccessScope.Score, About.Nothing),
        ["POST /inference.GRPCInferenceService/ModelInfer"] = (AccessScope.Score, About.Nothing),
        ["GET /2020-11-20/projects"] = (AccessScope.Score, About.Nothing),
        ["GET /2020-11-20/projects/{category}"] = (AccessScope.Score, About.Category),
        ["GET /2020-11-20/projects/{category}/models"] = (AccessScope.Score, About.Category),
        ["GET /2020-11-20/projects/{category}/models/{version}"] = (AccessScope.Score, About.Category),
        ["POST /2020-11-20/projects/{category}/models/{version}/start"] = (AccessScope.Score, About.Category),
        ["POST /2020-11-20/projects/{category}/models/{version}/stop"] = (AccessScope.Score, About.Category),
        ["POST /2020-11-20/projects/{category}/models/{version}/detect"] = (AccessScope.Score, About.Category),
        ["GET /v1/inspections"] = (AccessScope.Review, About.Nothing),
        ["GET /v1/inspections/summary"] = (AccessScope.Review, About.Nothing),
        ["GET /v1/inspections/pareto"] = (AccessScope.Review, About.Nothing),
        ["GET /v1/inspections/verdicts"] = (AccessScope.Review, About.Nothing),
        ["GET /v1/categories/{category}/threshold/proposal"] = (AccessScope.Review, About.Category),
        ["GET /v1/inspections/export"] = (AccessScope.Review, About.Nothing),
        ["GET /v1/inspections/{id}"] = (AccessScope.Review, About.Inspection),
        ["GET /v1/inspections/{id}/image"] = (AccessScope.Review, About.Inspection),
        ["GET /v1/inspections/{id}/heatmap"] = (AccessScope.Review, About.Inspection),
        ["GET /v1/inspections/{id}/drawing"] = (AccessScope.Review, About.Inspection),
        ["PUT /v1/inspections/{id}/verdict"] = (AccessScope.Review, About.Inspection),
        ["DELETE /v1/inspections/{id}/verdict"] = (AccessScope.Review, About.Inspection),
        ["DELETE /v1/inspections"] = (AccessScope.Admin, About.Nothing),
        ["PUT /v1/categories/{category}"] = (AccessScope.Train, About.Category),
        ["PATCH /v1/categories/{category}"] = (AccessScope.Train, About.Category),
        ["PATCH /v1/categories/{category}/threshold"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/threshold/preview"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/shadow"] = (AccessScope.Review, About.Category),
        ["PUT /v1/categories/{category}/shadow"] = (AccessScope.Train, About.Category),
        ["DELETE /v1/categories/{category}/shadow"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/shadow/differences"] = (AccessScope.Review, About.Category),
        ["POST /v1/categories/{category}/shadow/promote"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/lookbacks"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/lookbacks"] = (AccessScope.Review, About.Category),
        ["GET /v1/lookbacks/{id}"] = (AccessScope.Review, About.Evaluation),
        ["GET /v1/lookbacks/{id}/inspections"] = (AccessScope.Review, About.Evaluation),
        ["POST /v1/categories/{category}/learn"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/threshold/scores"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/images"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/images"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/images/{id}"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/images/{id}/thumbnail"] = (AccessScope.Train, About.Category),
        ["DELETE /v1/categories/{category}/images/{id}"] = (AccessScope.Train, About.Category),
        ["PATCH /v1/categories/{category}/images/{id}"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/dataset/update"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/dataset/delete"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/dataset"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/dataset"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/models/{version:int}/images"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/models/{version:int}/dataset"] = (AccessScope.Train, About.Category),
        ["PUT /v1/categories/{category}/ignore-mask"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/ignore-mask"] = (AccessScope.Train, About.Category),
        ["DELETE /v1/categories/{category}/ignore-mask"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/fits"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/evaluations"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/evaluations"] = (AccessScope.Train, About.Category),
        ["POST /v1/categories/{category}/models/{version:int}/activate"] = (AccessScope.Train, About.Category),
        ["DELETE /v1/categories/{category}/models/{version:int}"] = (AccessScope.Train, About.Category),
        ["GET /v1/categories/{category}/models/{version:int}/export"] = (AccessScope.Train, About.Category),
        ["GET /v1/jobs"] = (AccessScope.Train, About.Nothing),
        ["GET /v1/jobs/{id}"] = (AccessScope.Train, About.Job),
        ["DELETE /v1/jobs/{id}"] = (AccessScope.Train, About.Job),
        ["GET /v1/jobs/{id}/events"] = (AccessScope.Train, About.Job),
        ["GET /v1/evaluations/{id}"] = (AccessScope.Train, About.Evaluation),
        ["GET /v1/evaluations/{id}/images"] = (AccessScope.Train, About.Evaluation),
        ["DELETE /v1/categories/{category}"] = (AccessScope.Admin, About.Category),
        ["POST /v1/categories/{category}/models/import"] = (AccessScope.Admin, About.Category),
        ["POST /v1/keys"] = (AccessScope.Admin, About.Service),
        ["GET /v1/keys"] = (AccessScope.Admin, About.Service),
        ["GET /v1/keys/{id}"] = (AccessScope.Admin, About.Service),
        ["DELETE /v1/keys/{id}"] = (AccessScope.Admin, About.Service),
        ["POST /v1/system/scrub"] = (AccessScope.Admin, About.Service),
        ["GET /v1/system/scrub"] = (AccessScope.Admin, About.Service),
        ["GET /v1/audit"] = (AccessScope.Admin, About.Service),
        ["GET /v1/sinks"] = (AccessScope.Admin, About.Service),
        ["GET /v1/sinks/{sink}"] = (AccessScope.Admin, About.Service),
        ["PUT /v1/sinks/{sink}"] = (AccessScope.Admin, About.Service),
        ["DELETE /v1/sinks/{sink}"] = (AccessScope.Admin, About.Service),
        ["POST /v1/sinks/{sink}/test"] = (AccessScope.Admin, About.Service),
        ["GET /v1/sinks/{sink}/dead-letters"] = (AccessScope.Admin, About.Service),
        ["DELETE /v1/sinks/{sink}/dead-letters"] = (AccessScope.Admin, About.Service),
        ["POST /v1/sinks/{sink}/dead-letters/send"] = (AccessScope.Admin, About.Service),
        ["POST /v1/sinks/{sink}/dead-letters/{letter}/send"] = (AccessScope.Admin, About.Service),
        ["DELETE /v1/sinks/{sink}/dead-letters/{letter}"] = (AccessScope.Admin, About.Service),
    };

    /// <summary>
    /// What changes nothing though it is no GET. Nothing of a session is stored, nor of a model that is started or stopped.
    /// </summary>
    private static readonly string[] Harmless =
    [
        "POST /v1/session",
        "DELETE /v1/session",
        "POST /v1/categories/{category}/prefetch",
        "POST /v1/categories/{category}/score",
        "POST /v1/categories/{category}/score/batch",
        "POST /v2/repository/index",
        "POST /v2/models/{category}/infer",
        "POST /v2/models/{category}/versions/{version}/infer",
        "POST /inference.GRPCInferenceService/ServerLive",
        "POST /inference.GRPCInferenceService/ServerReady",
        "POST /inference.GRPCInferenceService/ServerMetadata",
        "POST /inference.GRPCInferenceService/ModelReady",
        "POST /inference.GRPCInferenceService/ModelMetadata",
        "POST /inference.GRPCInferenceService/ModelInfer",
        "POST /2020-11-20/projects/{category}/models/{version}/start",
        "POST /2020-11-20/projects/{category}/models/{version}/stop",
        "POST /2020-11-20/projects/{category}/models/{version}/detect",
        "POST /v1/categories/{category}/threshold/preview",
    ];

    private static readonly string Figures = JsonSerializer.Serialize(
        new EvaluationFigures
        {
            Images = new EvaluatedImages(0, 0, 0, 0),
            PerDefect = [],
            ConfusionAtThreshold = new Confusion(1, 0, 0, 0, 0),
        }
    );

    private ServiceWithTokens _tokens = null!;

    private TokenIssuer Issuer => _tokens.Issuer;

    private RunningService Service => _tokens.Service;

    public async ValueTask InitializeAsync() => _tokens = await ServiceWithTokens.StartAsync();

    public ValueTask DisposeAsync() => _tokens.DisposeAsync();

    [Fact]
    public void Every_route_is_in_the_table_and_the_table_holds_no_other() =>
        Assert.Equal(
            Table.Keys.Order(StringComparer.Ordinal),
            Routes().Select(route => route.Name).Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Every_route_that_changes_something_is_audited() =>
        Assert.Empty(
            Routes()
                .Where(route =>
                    !route.Name.StartsWith("GET ", StringComparison.Ordinal)
                    && !Harmless.Contains(route.Name)
                    && route.Endpoint.Metadata.GetMetadata<AuditedAction>() is null
                )
                .Select(route => route.Name)
        );

    [Fact]
    public async Task Every_route_answers_every_caller_as_the_table_says()
    {
        var (revoked, revokedId) = await Service.KeyAsync(AccessScope.Admin, name: "revoked");
        await Service.Get<KeyStore>().RevokeAsync(revokedId, default);
        var (expired, expiredId) = await Service.KeyAsync(AccessScope.Admin, name: "expired");
        await Service.ExpireAsync(expiredId);
        (string Name, string? Credential, AccessScope? Scope, bool Restricted)[] callers =
        [
            ("nobody", null, null, false),
            ("score", (await Service.KeyAsync(AccessScope.Score)).Text, AccessScope.Score, false),
            ("review", (await Service.KeyAsync(AccessScope.Review)).Text, AccessScope.Review, false),
            ("token to review", Issuer.Token("review"), AccessScope.Review, false),
            ("train", (await Service.KeyAsync(AccessScope.Train)).Text, AccessScope.Train, false),
            ("admin", (await Service.KeyAsync(AccessScope.Admin)).Text, AccessScope.Admin, false),
            (
                "admin of another category",
                (await Service.KeyAsync(AccessScope.Admin, [Other])).Text,
                AccessScope.Admin,
                true
            ),
            ("revoked", revoked, null, false),
            ("expired", expired, null, false),
            ("token to train", Issuer.Token("train"), AccessScope.Train, false),
            ("token to do everything, elsewhere", Issuer.Token("admin", categories: [Other]), AccessScope.Admin, true),
            ("token without a scope", Issuer.Token("openid"), AccessScope.Score - 1, false),
        ];
        var wrong = new List<string>();
        foreach (var (name, credential, scope, restricted) in callers)
        {
            using var http = Callers.With(Service.Http.BaseAddress!, credential);
            foreach (var (route, (needed, about)) in Table)
            {
                var status = await AskAsync(http, route, about);
                var expected = Expected(scope, restricted, needed, about);
                if (!Fits(status, expected, about))
                    wrong.Add(
                        $"{name}: {route} answers {status} in place of {(expected == 0 ? "letting in" : expected)}"
                    );
            }
        }
        Assert.Empty(wrong);
    }

    /// <summary>A refusal, or 0 for being let in.</summary>
    private static int Expected(AccessScope? scope, bool restricted, AccessScope needed, About about) =>
        about == About.Everybody ? 0
        : scope is null ? 401
        : scope < needed ? 403
        : !restricted ? 0
        : about switch
        {
            About.Category or About.Service => 403,
            About.Job or About.Evaluation or About.Inspection => 404,
            _ => 0,
        };

    /// <summary>
    /// A caller with access may still hear that a request without a body makes no sense; a job that is there must be
    /// shown.
    /// </summary>
    private static bool Fits(int status, int expected, About about) =>
        expected != 0
            ? status == expected
            : status is not (401 or 403)
                && status < 500
                && (about is not (About.Job or About.Evaluation) || status != 404);

    private async Task<int> AskAsync(HttpClient http, string route, About about)
    {
        var (job, evaluation) = await PrepareAsync();
        var space = route.IndexOf(' ', StringComparison.Ordinal);
        var path = route[(space + 1)..]
            .Replace("{category}", Ours, StringComparison.Ordinal)
            .Replace("{version:int}", "1", StringComparison.Ordinal)
            .Replace("{version}", "1", StringComparison.Ordinal)
            .Replace("{sink}", "mes", StringComparison.Ordinal)
            .Replace("{letter}", "0123456789ab", StringComparison.Ordinal)
            .Replace(
                "{id}",
                about switch
                {
                    About.Job => job,
                    About.Evaluation => evaluation,
                    _ => "0123456789ab",
                },
                StringComparison.Ordinal
            );
        using var request = new HttpRequestMessage(new HttpMethod(route[..space]), path);
        // The body is read before the identifier is looked for.
        if (route == "PUT /v1/inspections/{id}/verdict")
            request.Content = JsonContent.Create(new { verdict = "good" });
        // Events of a job that waits do not end.
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return (int)answer.StatusCode;
    }

    /// <summary>A category with a job and an evaluation, whatever the requests before have deleted.</summary>
    private async Task<(string Job, string Evaluation)> PrepareAsync()
    {
        await using var db = await Service.Get<IDbContextFactory<PadimDbContext>>().CreateDbContextAsync();
        if (!await db.Categories.AnyAsync(category => category.Name == Ours))
        {
            using var admin = Service.With(Issuer.Token("admin"));
            await new CategoryClient(admin, Ours).CreateAsync();
        }
        if (await db.Evaluations.AsNoTracking().Select(row => row.Id).FirstOrDefaultAsync() is not { } evaluation)
        {
            var row = new StoredEvaluation
            {
                Id = evaluation = Guid.CreateVersion7().ToString("n"),
                Category = Ours,
                ModelVersion = 1,
                CreatedAt = DateTime.UtcNow,
                Figures = Figures,
                Scores = [],
            };
            db.Add(row);
            db.Add(
                new StoredLookback
                {
                    Id = row.Id,
                    Category = Ours,
                    ModelVersion = 1,
                    CreatedAt = row.CreatedAt,
                    Figures = JsonSerializer.Serialize(
                        new LookbackTally().ToFigures(1, row.CreatedAt.AddDays(-7), row.CreatedAt)
                    ),
                    Flips = "[]",
                }
            );
            await db.SaveChangesAsync();
        }
        if (
            await db
                .Jobs.AsNoTracking()
                .Where(job => job.State == JobState.Queued)
                .Select(job => job.Id)
                .FirstOrDefaultAsync() is
            { } waiting
        )
            return (waiting, evaluation);
        var enqueued = await Service.Get<JobStore>().EnqueueAsync(JobKind.Fit, Ours, "{}", null, default);
        return enqueued.Succeeded(out var queued, out var problem)
            ? (queued.Id, evaluation)
            : throw new InvalidOperationException(problem.Detail);
    }

    private IEnumerable<(string Name, RouteEndpoint Endpoint)> Routes() =>
        from endpoint in Service.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        // Part of every GET, with the same metadata.
        where method != "HEAD"
        select ($"{method} /{endpoint.RoutePattern.RawText!.Trim('/')}", endpoint);
}
