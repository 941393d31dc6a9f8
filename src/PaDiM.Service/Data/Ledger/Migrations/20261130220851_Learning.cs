using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace PaDiM.Service.Data.Ledger.Migrations
{
    /// <inheritdoc />
    public partial class Learning : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "ShadowMisses",
                columns: table => new
                {
                    Category = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Version = table.Column<int>(type: "INTEGER", nullable: false),
                    Replica = table.Column<string>(type: "TEXT", maxLength: 253, nullable: false),
                    Missed = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ShadowMisses", x => new { x.Category, x.Version, x.Replica });
                });

            migrationBuilder.CreateTable(
                name: "ShadowScores",
                columns: table => new
                {
                    Key = table.Column<long>(type: "INTEGER", nullable: false),
                    Category = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    Version = table.Column<int>(type: "INTEGER", nullable: false),
                    ActiveVersion = table.Column<int>(type: "INTEGER", nullable: false),
                    InspectionCategory = table.Column<string>(type: "TEXT", maxLength: 64, nullable: false),
                    InspectionId = table.Column<string>(type: "TEXT", maxLength: 80, nullable: false),
                    Score = table.Column<double>(type: "REAL", nullable: false),
                    Decision = table.Column<string>(type: "TEXT", nullable: false),
                    ShadowScore = table.Column<double>(type: "REAL", nullable: false),
                    ShadowDecision = table.Column<string>(type: "TEXT", nullable: false),
                    Differs = table.Column<bool>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ShadowScores", x => x.Key);
                });

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_Category_Version_Differs_Key",
                table: "ShadowScores",
                columns: new[] { "Category", "Version", "Differs", "Key" });

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_InspectionCategory_InspectionId_Category_Version",
                table: "ShadowScores",
                columns: new[] { "InspectionCategory", "InspectionId", "Category", "Version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_ShadowScores_InspectionCategory_Key",
                table: "ShadowScores",
                columns: new[] { "InspectionCategory", "Key" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ShadowMisses");

            migrationBuilder.DropTable(
                name: "ShadowScores");
        }
    }
}
