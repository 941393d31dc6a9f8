using Microsoft.AspNetCore.Authentication;
using PaDiM.Service.Access;
using PaDiM.Service.Http;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// The part of the API of Amazon Lookout for Vision that lines use: detection, and what clients call before and after.
/// Categories are its projects.
/// </summary>
internal static class LookoutFeature
{
    /// <summary>The version of the API, with which all its addresses begin.</summary>
    public const string Root = "/2020-11-20";

    public static IServiceCollection AddLookoutForVision(this IServiceCollection services)
    {
        services
            .AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, SignatureAuthentication>(
                SignatureAuthentication.SchemeName,
                configureOptions: null
            );
        return services.AddSingleton<ProblemFormat, LookoutErrors>().AddSingleton<HostingMarks>();
    }

    public static void MapLookoutForVision(this IEndpointRouteBuilder routes)
    {
        // The API has a description of its own, and problems of another shape than the document describes.
        var api = routes
            .MapGroup(Root)
            .Needs(AccessScope.Score)
            .WithScheme(SignatureAuthentication.SchemeName, SignatureAuthentication.Signs)
            .ExcludeFromDescription()
            .AddEndpointFilter(
                (context, next) =>
                {
                    LookoutErrors.NameRequest(context.HttpContext);
                    return next(context);
                }
            );
        api.MapProjects();
        api.MapDetect();
    }
}
