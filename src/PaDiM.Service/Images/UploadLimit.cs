using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Options;

namespace PaDiM.Service.Images;

/// <summary>The largest body of an operation that reads files, in place of the server's default.</summary>
/// <param name="bytes">Number of bytes, after unpacking.</param>
internal sealed class UploadLimit(long bytes) : IRequestSizeLimitMetadata
{
    public long? MaxRequestBodySize => bytes;
}

/// <summary>Extension methods that declare what an operation reads.</summary>
internal static class UploadLimitConventions
{
    /// <summary>Lets an operation read bodies of up to <see cref="ImageOptions.MaxUploadBytes"/>.</summary>
    public static T ReadsUploads<T>(this T routes)
        where T : IEndpointConventionBuilder
    {
        routes.Add(endpoint =>
            endpoint.Metadata.Add(
                new UploadLimit(
                    endpoint.ApplicationServices.GetRequiredService<IOptions<ImageOptions>>().Value.MaxUploadBytes
                )
            )
        );
        return routes;
    }
}
