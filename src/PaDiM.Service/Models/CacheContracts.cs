using PaDiM.Service.Data;

namespace PaDiM.Service.Models;

/// <summary>A model that is ready to score, with those of the regions of its category.</summary>
/// <param name="Category">Name of the category; of the first region, if only regions have a model.</param>
/// <param name="ModelVersion">The version that scores: the active one, or an earlier one if the file of the active one
/// is damaged.</param>
/// <param name="Bytes">Memory of all these models, including device memory.</param>
/// <param name="Loaded">Whether one of them had to be loaded; false if they were already in memory.</param>
/// <param name="Milliseconds">Time taken, in milliseconds.</param>
internal sealed record PrefetchResponse(
    string Category,
    int ModelVersion,
    long Bytes,
    bool Loaded,
    double Milliseconds
);

/// <summary>The models in memory.</summary>
/// <param name="BudgetBytes">Memory for loaded models (the setting `ModelCacheBytes`); beyond it, the least recently used models are
/// evicted.</param>
/// <param name="Bytes">Memory of all models.</param>
/// <param name="PinnedBytes">Memory of the pinned models, which are never evicted.</param>
/// <param name="Models">The models, most recently used first.</param>
internal sealed record ModelCacheResponse(
    long BudgetBytes,
    long Bytes,
    long PinnedBytes,
    IReadOnlyList<HeldModel> Models
);

/// <summary>A model in memory.</summary>
/// <param name="Category">Name of the category.</param>
/// <param name="Version">Version of the model.</param>
/// <param name="Bytes">Memory of the model, including device memory.</param>
/// <param name="Pinned">Whether the model is pinned and never evicted.</param>
/// <param name="LastUsedAt">Time of last use.</param>
internal sealed record HeldModel(string Category, int Version, long Bytes, bool Pinned, DateTime LastUsedAt);

/// <summary>A version whose file is damaged or missing.</summary>
/// <param name="Category">Name of the category.</param>
/// <param name="Version">Version of the model.</param>
/// <param name="State">State of the file: `corrupt` or `missing`.</param>
/// <param name="Since">Time at which this process first noticed it.</param>
/// <param name="Serving">The version that scores for the category instead, or this version if it is still in memory;
/// null if it is not the active one or nothing can score.</param>
internal sealed record DamagedModelResponse(
    string Category,
    int Version,
    ModelState State,
    DateTime Since,
    int? Serving
);
