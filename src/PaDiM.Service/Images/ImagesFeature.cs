using Microsoft.Extensions.Options;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Categories;
using PaDiM.Service.Http;
using PaDiM.Service.Memory;

namespace PaDiM.Service.Images;

/// <summary>Images of a category: uploads, thumbnails, masks, and the decoding of what clients send.</summary>
internal static class ImagesFeature
{
    public static IServiceCollection AddImages(this IServiceCollection services) =>
        services
            .AddPadimOptions<ImageOptions>()
            .AddSingleton(CreateDecoder)
            .AddSingleton<ImageStore>()
            .AddSingleton<ImageChanges>()
            .AddSingleton<ImageRequest>()
            .AddSingleton<JobImages>()
            .AddSingleton<PixelHashes>()
            .AddSingleton<Thumbnails>();

    public static void MapImages(this IEndpointRouteBuilder routes)
    {
        var images = routes.MapCategory().OfOwnImages();
        images.MapImageEndpoints();
        images.MapImageChanges();
        routes.MapCategory().MapIgnoreMask();
    }

    private static ImageDecoder CreateDecoder(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<IOptions<ImageOptions>>().Value;
        return new ImageDecoder(
            options.MaxPixels,
            TimeSpan.FromMilliseconds(options.DecodeTimeoutMs),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<MemoryPlan>().LargestDecodeBytes
        );
    }
}
