package config
import ("testing";"os";"strings";"fmt")
func TestGen(t *testing.T){
 src, _ := os.ReadFile("mistakes_test.go")
 lines := strings.Split(string(src), "\n")
 k := 0
 for i, l := range lines {
  if strings.HasPrefix(l, "\t{\"") && strings.HasSuffix(l, ", ``},") {
   c := mistakes[k]; k++
   _, err := Parse("f", []byte(c.text), noEnv)
   m := fmt.Sprint(err)
   q := "`"+m+"`"
   if strings.Contains(m, "`") || strings.Contains(m,"\n") { q = fmt.Sprintf("%q", m) }
   lines[i] = strings.TrimSuffix(l, "``},") + q + "},"
   fmt.Printf("%-40s %s\n", c.name, m)
  }
 }
 os.WriteFile("mistakes_test.go", []byte(strings.Join(lines,"\n")), 0o644)
}
