using PaDiM.Service.Http;

namespace PaDiM.Service.Models;

/// <summary>Activates versions: those that can be loaded, so that none that cannot replaces one that scores.</summary>
internal sealed class ModelActivation(ModelStore store, ModelRegistry registry)
{
    /// <summary>Activates a version, and ends the shadow if it is that version.</summary>
    public async Task<Outcome<ModelResponse>> ActivateAsync(
        string category,
        int version,
        CancellationToken cancellationToken
    )
    {
        if (!(await registry.AcquireAsync(category, version, cancellationToken)).Succeeded(out _, out var unusable))
            return unusable;
        if (await store.ActivateAsync(category, version, cancellationToken) is { } problem)
            return problem;
        await registry.RefreshAsync(category, CancellationToken.None);
        return await store.GetResponseAsync(category, version, cancellationToken);
    }
}
