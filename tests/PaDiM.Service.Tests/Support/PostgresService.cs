using PaDiM.Service.TestSupport;

namespace PaDiM.Service.Tests.Support;

/// <summary>The shared service of a class of tests, on PostgreSQL.</summary>
public sealed class PostgresService : SharedService
{
    private protected override Task<(string Option, object Value)[]> CreateDatabaseAsync() =>
        PostgresServer.CreateOptionsAsync();
}
