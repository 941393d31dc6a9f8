using Microsoft.Extensions.Options;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Machine;
using PaDiM.Service.Access;
using PaDiM.Service.Admission;
using PaDiM.Service.Data;
using PaDiM.Service.Diagnostics;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;
using PaDiM.Service.Models;
using PaDiM.Service.Roles;

namespace PaDiM.Service.Hosting;

/// <summary><c>/v1/system</c>: version, device, backbones and models in memory.</summary>
internal static class SystemEndpoints
{
    public static void MapSystem(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/v1/system",
                async (
                    Caller caller,
                    BackboneRuntime runtime,
                    BackboneListing backbones,
                    ModelCache cache,
                    ModelRegistry models,
                    MemoryPlan memory,
                    ImageAdmission images,
                    DiskSpace disk,
                    OpenAccess access,
                    IOptions<ReplicaOptions> replica,
                    IOptions<RoleOptions> role,
                    CancellationToken cancellationToken
                ) =>
                    TypedResults.Ok(
                        Describe(
                            caller,
                            runtime,
                            backbones,
                            cache,
                            models,
                            memory,
                            new QueueResponse(images.SlotsInUse, images.Slots, images.Refusals),
                            new DiskResponse(disk.Free, disk.Size, disk.Available),
                            replica.Value.ReplicaName,
                            role.Value.Effective,
                            await access.IsRequiredAsync(cancellationToken)
                        )
                    )
            )
            .Needs(AccessScope.Score)
            .WithTags("Operations")
            .WithName("GetSystem")
            .WithSummary("Gets system information: version, device, backbones and models in memory")
            .Produces<SystemResponse>();

    private static SystemResponse Describe(
        Caller caller,
        BackboneRuntime runtime,
        BackboneListing backbones,
        ModelCache cache,
        ModelRegistry models,
        MemoryPlan memory,
        QueueResponse queue,
        DiskResponse disk,
        string replica,
        ReplicaRole role,
        bool keyRequired
    ) =>
        new(
            ServiceVersion.Current,
            replica,
            role,
            runtime.Device,
            runtime.ExecutionProvider,
            OnnxRuntimeLibrary.Version,
            runtime.Threads,
            [.. backbones.List().Where(backbone => backbone.State != BackboneState.Available).Select(Describe)],
            new MemoryResponse(
                Environment.WorkingSet,
                GC.GetTotalMemory(forceFullCollection: false),
                cache.Bytes,
                memory.Limit,
                memory.ModelCache,
                memory.Decoding,
                memory.Bodies,
                memory.Fits
            ),
            queue,
            disk,
            OnlyOf(caller, cache.ToResponse()),
            [.. models.GetDamage().Where(model => caller.MaySee(model.Category))],
            keyRequired
        );

    /// <summary>Models are listed only for categories that the caller may see.</summary>
    private static ModelCacheResponse OnlyOf(Caller caller, ModelCacheResponse all) =>
        all with
        {
            Models = [.. all.Models.Where(model => caller.MaySee(model.Category))],
        };

    private static UsableBackboneResponse Describe(ListedBackbone backbone) =>
        new(
            backbone.Name,
            backbone.Sha256,
            backbone.State == BackboneState.BuiltIn,
            backbone.Origin,
            backbone.Licence,
            backbone.Taps,
            backbone.Error
        );
}

/// <summary>Information about the running service.</summary>
/// <param name="Version">Gets the version of the service.</param>
/// <param name="Replica">Name of this replica, which answers name in <c>X-Padim-Replica</c>.</param>
/// <param name="Role">What the replica does beside uploads and metadata: <c>score</c>, <c>fit</c> (it runs jobs) or
/// <c>both</c>.</param>
/// <param name="Device"><c>cpu</c> or <c>cuda</c>, as actually in use.</param>
/// <param name="ExecutionProvider">The execution provider in use, as named by ONNX Runtime.</param>
/// <param name="OnnxRuntime">Version of ONNX Runtime.</param>
/// <param name="Threads">Threads per inference.</param>
/// <param name="Backbones">The installed backbones.</param>
/// <param name="Memory">Memory in use, in bytes.</param>
/// <param name="Queue">The images that are being scored.</param>
/// <param name="Disk">The file system of the data directory.</param>
/// <param name="ModelCache">The models in memory, for the categories that the caller may see.</param>
/// <param name="DamagedModels">Versions whose file is damaged or missing, as far as this process has read it, for the
/// categories that the caller may see.</param>
/// <param name="KeyRequired">Whether requests need a key or a token; false while access is open to everyone who reaches
/// the service.</param>
internal sealed record SystemResponse(
    string Version,
    string Replica,
    ReplicaRole Role,
    string Device,
    string ExecutionProvider,
    string OnnxRuntime,
    int Threads,
    IReadOnlyList<UsableBackboneResponse> Backbones,
    MemoryResponse Memory,
    QueueResponse Queue,
    DiskResponse Disk,
    ModelCacheResponse ModelCache,
    IReadOnlyList<DamagedModelResponse> DamagedModels,
    bool KeyRequired
);

/// <summary>An installed backbone.</summary>
/// <param name="Name">Name.</param>
/// <param name="Sha256">Hash of the file.</param>
/// <param name="BuiltIn">Whether the backbone is part of the program.</param>
/// <param name="Origin">Source of the weights, from the manifest.</param>
/// <param name="Licence">Licence of the weights, from the manifest.</param>
/// <param name="Taps">The tapped tensors; empty if they are found from the graph.</param>
/// <param name="Error">Why the backbone cannot be used; null if it can.</param>
internal sealed record UsableBackboneResponse(
    string Name,
    string? Sha256,
    bool BuiltIn,
    string? Origin,
    string? Licence,
    IReadOnlyList<BackboneTap> Taps,
    string? Error
);

/// <summary>The images that are being scored, from their last byte to their answer.</summary>
/// <param name="Images">Images in progress.</param>
/// <param name="Capacity">The setting <c>QueueCapacity</c>: beyond it, images are refused.</param>
/// <param name="Refused">Images that were refused since the start.</param>
internal sealed record QueueResponse(int Images, int Capacity, long Refused);

/// <summary>The file system of the data directory, in bytes.</summary>
/// <param name="FreeBytes">Free bytes.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="UsableBytes">Free bytes beyond the setting <c>MinFreeBytes</c>, which is kept for the database. At 0, nothing
/// new is stored.</param>
internal sealed record DiskResponse(long FreeBytes, long SizeBytes, long UsableBytes);

/// <summary>Memory in use, in bytes.</summary>
/// <param name="WorkingSet">Working set of the process.</param>
/// <param name="ManagedHeap">Managed heap.</param>
/// <param name="Models">Loaded models.</param>
/// <param name="Limit">The memory that the process may use: the machine's, or that of its container.</param>
/// <param name="ModelCache">The most memory for loaded models.</param>
/// <param name="Decoding">The most memory for images of requests that are being decoded; jobs have the same again.</param>
/// <param name="Bodies">The most memory for encoded images that are being received or scored.</param>
/// <param name="Fits">The most memory for fits that run, the program included. Loaded models give way to them.</param>
internal sealed record MemoryResponse(
    long WorkingSet,
    long ManagedHeap,
    long Models,
    MemoryLimit Limit,
    MemoryShare ModelCache,
    MemoryShare Decoding,
    MemoryShare Bodies,
    MemoryShare Fits
);
