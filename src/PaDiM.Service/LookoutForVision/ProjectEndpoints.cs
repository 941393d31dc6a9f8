using PaDiM.Service.Access;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// <c>/2020-11-20/projects</c>: categories as projects, their versions as models, and whether those are hosted.
/// </summary>
internal static class ProjectEndpoints
{
    /// <summary>The name of the active version.</summary>
    public const string Latest = "latest";

    public static void MapProjects(this RouteGroupBuilder api)
    {
        api.MapGet("projects", ListProjectsAsync);
        var project = api.MapGroup("projects/{category}").AddEndpointFilter(CategoryName.Filter);
        project.MapGet("", DescribeProjectAsync);
        project.MapGet("models", ListModelsAsync);
        project.MapGet("models/{version}", DescribeModelAsync);
        project.MapPost("models/{version}/start", StartAsync).OnlyWhereScored();
        project.MapPost("models/{version}/stop", StopAsync);
    }

    private static async Task<IResult> ListProjectsAsync(
        Caller caller,
        CategoryStore store,
        CancellationToken cancellationToken,
        int? maxResults = null,
        string? nextToken = null
    )
    {
        if (!PageRequest.Parse(maxResults, nextToken).Succeeded(out var page, out var problem))
            return problem;
        var listed = await store.ListAsync(caller.Categories, page, cancellationToken);
        return LookoutJson.Answer(
            new ListProjectsResponse(listed.Items.Select(ProjectMetadata.From), listed.NextCursor)
        );
    }

    private static async Task<IResult> DescribeProjectAsync(
        string category,
        CategoryStore store,
        CancellationToken cancellationToken
    ) =>
        (await store.GetAsync(category, cancellationToken)).ToResult(found =>
        {
            var created = LookoutJson.ToSeconds(found.CreatedAt);
            return LookoutJson.Answer(
                new DescribeProjectResponse(
                    new ProjectDescription(
                        LookoutArn.OfProject(category),
                        category,
                        created,
                        [new DatasetMetadata("train", created, "CREATE_COMPLETE")]
                    )
                )
            );
        });

    private static async Task<IResult> ListModelsAsync(
        string category,
        ModelStore store,
        HostingMarks marks,
        CancellationToken cancellationToken,
        int? maxResults = null,
        string? nextToken = null
    )
    {
        if (!PageRequest.Parse(maxResults, nextToken).Succeeded(out var page, out var problem))
            return problem;
        return (await store.ListAsync(category, page, cancellationToken)).ToResult(listed =>
            LookoutJson.Answer(
                new ListModelsResponse(
                    listed.Items.Select(model => ModelDescription.From(category, model, marks)),
                    listed.NextCursor
                )
            )
        );
    }

    private static async Task<IResult> DescribeModelAsync(
        string category,
        string version,
        CategoryStore categories,
        ModelStore store,
        HostingMarks marks,
        CancellationToken cancellationToken
    ) =>
        (await FindAsync(category, version, categories, store, cancellationToken)).ToResult(model =>
            LookoutJson.Answer(new DescribeModelResponse(ModelDescription.From(category, model, marks)))
        );

    private static async Task<IResult> StartAsync(
        string category,
        string version,
        CategoryStore categories,
        ModelStore store,
        PartRegistry registry,
        HostingMarks marks,
        CancellationToken cancellationToken
    )
    {
        if (
            !(await FindAsync(category, version, categories, store, cancellationToken)).Succeeded(
                out var model,
                out var problem
            )
        )
            return problem;
        // Loaded now, so that the first image does not wait for it.
        var loaded = await registry.AcquireAsync(category, version == Latest ? null : model.Version, cancellationToken);
        return loaded.ToResult(_ =>
        {
            marks.Start(category, model.Version);
            return LookoutJson.Answer(new HostingResponse(HostingStatus.Starting), StatusCodes.Status202Accepted);
        });
    }

    private static async Task<IResult> StopAsync(
        string category,
        string version,
        CategoryStore categories,
        ModelStore store,
        HostingMarks marks,
        CancellationToken cancellationToken
    ) =>
        (await FindAsync(category, version, categories, store, cancellationToken)).ToResult(model =>
        {
            marks.Stop(category, model.Version);
            return LookoutJson.Answer(new HostingResponse(HostingStatus.Stopping), StatusCodes.Status202Accepted);
        });

    private static async Task<Outcome<ModelResponse>> FindAsync(
        string category,
        string version,
        CategoryStore categories,
        ModelStore store,
        CancellationToken cancellationToken
    )
    {
        if (!VersionName.Parse(category, version, Latest).Succeeded(out var number, out var problem))
            return problem;
        if (number is null)
        {
            if (!(await categories.GetAsync(category, cancellationToken)).Succeeded(out var found, out problem))
                return problem;
            if (found.ActiveModelVersion is not { } active)
                return Problems.ModelNotReady(category);
            number = active;
        }
        return await store.GetResponseAsync(category, number.Value, cancellationToken);
    }
}
