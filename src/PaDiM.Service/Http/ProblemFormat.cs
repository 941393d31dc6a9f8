namespace PaDiM.Service.Http;

/// <summary>
/// Writes problems in the shape of a protocol that others have defined. It applies below the protocol's own addresses,
/// to everything that is answered there: also to a missing key, an unknown address and an exception.
/// </summary>
/// <param name="roots">The first segments of the protocol's addresses.</param>
internal abstract class ProblemFormat(params string[] roots)
{
    /// <summary>Gets the format of the protocol that a request speaks; null for this service's own.</summary>
    public static ProblemFormat? Find(HttpContext context) =>
        context.RequestServices.GetServices<ProblemFormat>().FirstOrDefault(format => format.Covers(context.Request));

    /// <summary>Writes a problem as the response. The header <c>Retry-After</c> is set.</summary>
    public abstract Task WriteAsync(HttpContext context, Problem problem);

    /// <summary>Gets whether a request speaks the protocol.</summary>
    protected virtual bool Covers(HttpRequest request) =>
        Array.Exists(roots, root => request.Path.StartsWithSegments(root));
}
