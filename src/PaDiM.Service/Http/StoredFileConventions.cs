namespace PaDiM.Service.Http;

/// <summary>Extension methods that declare what an operation answers.</summary>
internal static class StoredFileConventions
{
    /// <summary>Declares what an operation that answers with a <see cref="StoredFile"/> answers besides.</summary>
    public static RouteHandlerBuilder ProducesFile(this RouteHandlerBuilder route) =>
        route.Produces(StatusCodes.Status206PartialContent).Produces(StatusCodes.Status304NotModified);
}
