using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>A model that is ready to score.</summary>
/// <param name="Category">Whose it is.</param>
/// <param name="ModelVersion">The version that scores: the active one, or an earlier one where the file of that is
/// damaged.</param>
/// <param name="Bytes">What it takes in memory, the device's included.</param>
/// <param name="Loaded">It had to be read; false when it was in memory already.</param>
/// <param name="Milliseconds">How long that took.</param>
internal sealed record PrefetchResponse(
    string Category,
    int ModelVersion,
    long Bytes,
    bool Loaded,
    double Milliseconds
);

/// <summary>The models in memory.</summary>
/// <param name="BudgetBytes">The setting `ModelCacheBytes`: the least recently used make room beyond it.</param>
/// <param name="Bytes">Of all models held.</param>
/// <param name="PinnedBytes">Of those that never make room.</param>
/// <param name="Models">The last used first.</param>
internal sealed record ModelCacheResponse(
    long BudgetBytes,
    long Bytes,
    long PinnedBytes,
    IReadOnlyList<HeldModel> Models
);

/// <summary>A model in memory.</summary>
/// <param name="Category">Whose it is.</param>
/// <param name="Version">Which version.</param>
/// <param name="Bytes">What it takes, the device's memory included.</param>
/// <param name="Pinned">It never makes room for others.</param>
/// <param name="LastUsedAt">When it was last asked for.</param>
internal sealed record HeldModel(string Category, int Version, long Bytes, bool Pinned, DateTime LastUsedAt);

/// <summary>A version whose file is not what was published.</summary>
/// <param name="Category">Whose it is.</param>
/// <param name="Version">Which version.</param>
/// <param name="State">What is wrong with its file: `corrupt` or `missing`.</param>
/// <param name="Since">When this process first saw it.</param>
/// <param name="Serving">The version that scores for the category instead, or this one itself where it is still in
/// memory, whole; null where it is not the active one, or nothing can score.</param>
internal sealed record DamagedModelResponse(
    string Category,
    int Version,
    ModelState State,
    DateTime Since,
    int? Serving
);
