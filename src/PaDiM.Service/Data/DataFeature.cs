using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Data;

/// <summary>The data directory, the database and the stored files.</summary>
internal static class DataFeature
{
    public static IServiceCollection AddData(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddPadimOptions<DataOptions>();
        services.AddSingleton<DataDirectory>().AddSingleton<DiskSpace>().AddSingleton<BlobStore>();
        services.AddSingleton<IObjectStore>(provider => new DiskObjects(
            provider.GetRequiredService<DataDirectory>().Root,
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton(CreateEngine);
        services.AddSingleton<IDbContextFactory<PadimDbContext>>(provider =>
            provider.GetRequiredService<IDatabaseEngine>()
        );
        return services.AddSingleton<Database>();
    }

    private static IDatabaseEngine CreateEngine(IServiceProvider provider) =>
        provider.GetRequiredService<IOptions<DataOptions>>().Value.Database.Provider == DatabaseProvider.PostgreSql
            ? ActivatorUtilities.CreateInstance<PostgresEngine>(provider)
            : ActivatorUtilities.CreateInstance<SqliteEngine>(provider);
}
