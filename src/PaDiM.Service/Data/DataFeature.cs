using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PaDiM.Service.Http;
using PaDiM.Service.Objects;

namespace PaDiM.Service.Data;

/// <summary>The data directory, the database in it and the stored files.</summary>
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
        services.AddPooledDbContextFactory<PadimDbContext>(
            (provider, options) =>
                options.UseSqlite(
                    new SqliteConnectionStringBuilder
                    {
                        DataSource = provider.GetRequiredService<DataDirectory>().Database,
                    }.ConnectionString
                )
        );
        return services.AddSingleton<Database>();
    }
}
