using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Notifications : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            // Never edit a published migration: the triggers are written out, and a change of them is another one.
            migrationBuilder.Sql(
                """
                CREATE FUNCTION padim_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    PERFORM pg_notify('padim_changes', TG_TABLE_NAME);
                    RETURN NULL;
                END $$;
                CREATE TRIGGER padim_report_change AFTER INSERT OR UPDATE OR DELETE ON "Categories"
                    FOR EACH ROW EXECUTE FUNCTION padim_report_change();
                CREATE TRIGGER padim_report_change AFTER INSERT OR UPDATE OF "RevokedAt" OR DELETE ON "ApiKeys"
                    FOR EACH ROW EXECUTE FUNCTION padim_report_change();
                CREATE TRIGGER padim_report_new AFTER INSERT ON "Jobs"
                    FOR EACH ROW EXECUTE FUNCTION padim_report_change();
                CREATE TRIGGER padim_report_change AFTER UPDATE OF "State" ON "Jobs"
                    FOR EACH ROW WHEN (NEW."State" <> 'Running') EXECUTE FUNCTION padim_report_change();
                """
            );
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(
                """
                DROP TRIGGER padim_report_change ON "Categories";
                DROP TRIGGER padim_report_change ON "ApiKeys";
                DROP TRIGGER padim_report_new ON "Jobs";
                DROP TRIGGER padim_report_change ON "Jobs";
                DROP FUNCTION padim_report_change();
                """
            );
        }
    }
}
