#include "tests/lib/nation_words.h"

#include <stddef.h>

const char *const nation_words_men[] = {
    "Elçin",   "Rəşad",  "Vüqar",   "Anar",     "Əli",    "Hüseyn",  "Murad",
    "Orxan",   "Tural",  "Ramil",   "Məhəmməd", "Samir",  "Nicat",   "Fərid",
    "Cavid",   "Kənan",  "Ülvi",    "Zaur",     "Rauf",   "Emin",    "İlqar",
    "Səbuhi",  "Çingiz", "Natiq",   "Şahin",    "Xəyal",  "Qorxmaz", "Yusif",
    "Fuad",    "Azər",   "İbrahim", "Rövşən",   "Tərlan", "Ceyhun",  "Babək",
    "Sənan",   "Pərviz", "Kərim",   "Əhməd",    "Qasım",  "Mübariz", "Aqşin",
    "Eldəniz", "Ruslan", "Vasif",   "Həsən",    "Şəmsi",  "Toğrul",  NULL};

const char *const nation_words_women[] = {
    "Aygün",   "Nigar",   "Leyla",   "Sevinc", "Günel",    "Aynur",  "Şəbnəm",
    "Fatimə",  "Zeynəb",  "Könül",   "Ülkər",  "Səidə",    "Nərmin", "Lalə",
    "Gülnar",  "Xədicə",  "Mətanət", "Təranə", "Əfsanə",   "Jalə",   "Rəna",
    "Çinarə",  "Sənubər", "Vəfa",    "İradə",  "Şəhla",    "Günay",  "Aysel",
    "Pərvanə", "Nəzakət", "Röya",    "Afaq",   "Mehriban", "Dilarə", "Xatirə",
    "Ellada",  "Zümrüd",  "Səbinə",  "Yeganə", "Ofelya",   "Gülşən", "Solmaz",
    NULL};

const char *const nation_words_roots[] = {
    "Məmməd",  "Əli",      "Hüseyn",   "Həsən",   "İsmayıl", "Quli",  "Rəhim",
    "Abbas",   "Əhməd",    "Cəfər",    "Mustafa", "Nəsib",   "Kərim", "Orucə",
    "İbrahim", "Süleyman", "Vəli",     "Şərif",   "Bayram",  "Həmid", "Qasım",
    "Rüstəm",  "Səfər",    "Tağı",     "Musa",    "Nəzər",   "Ağa",   "Cavad",
    "Fərhad",  "Qurban",   "Mirzə",    "Novruz",  "Pənah",   "Sadıq", "Ələkbər",
    "Zeynal",  "Xəlil",    "İsgəndər", "Yaqub",   "Çıraq",   "Dadaş", "Əsgər",
    "Göyüş",   "Heydər",   "Teymur",   "Üzeyir",  "Şükür",   NULL};

const char *const nation_words_companies[] = {
    "Xəzər",   "Araz",    "Günəş",  "Qobustan",  "Şirvan",     "Odlar",
    "Muğan",   "Kəpəz",   "Şahdağ", "Göygöl",    "Naxış",      "İpək Yolu",
    "Nar",     "Çinar",   "Ağsu",   "Qızılgül",  "Dan Ulduzu", "Bərəkət",
    "Etibar",  "Zirvə",   "Üfüq",   "Əmək",      "Lacivərd",   "Kür",
    "Abşeron", "Sədərək", "Qafqaz", "Yeni Dövr", "Həyat",      "Oğuz",
    "Turan",   "Şəfəq",   NULL};

const char *const nation_words_trades[] = {
    "Ticarət",  "Tikinti",   "Servis", "Logistika", "Aqro",    "Tekstil",
    "Mebel",    "Texnika",   "Qida",   "Turizm",    "Konsalt", "Nəqliyyat",
    "Poliqraf", "Əczaçılıq", "Enerji", "İstehsal",  NULL};

const char *const nation_words_streets[] = {"Nizami küçəsi",
                                            "Azadlıq prospekti",
                                            "Füzuli küçəsi",
                                            "Xətai prospekti",
                                            "Nərimanov prospekti",
                                            "Vaqif küçəsi",
                                            "Səməd Vurğun küçəsi",
                                            "Üzeyir Hacıbəyli küçəsi",
                                            "Heydər Əliyev prospekti",
                                            "Nəsimi küçəsi",
                                            "28 May küçəsi",
                                            "Şah İsmayıl Xətai küçəsi",
                                            "Mirzə Ələkbər Sabir küçəsi",
                                            "Cavadxan küçəsi",
                                            "Gənclik prospekti",
                                            "Bakıxanov küçəsi",
                                            "Təbriz küçəsi",
                                            "Dədə Qorqud küçəsi",
                                            "İnşaatçılar prospekti",
                                            "Məhəmməd Hadi küçəsi",
                                            "Əhməd Cəmil küçəsi",
                                            "Yeni Günəşli massivi",
                                            "Sülh küçəsi",
                                            "Çayqırağı küçəsi",
                                            NULL};

const char *const nation_words_bodies[] = {
    "Dövlət Vergi Xidməti",
    "Qida Təhlükəsizliyi Agentliyi",
    "Dövlət Əmək Müfəttişliyi Xidməti",
    "Dövlət Yanğın Nəzarəti Xidməti",
    "Antiinhisar və İstehlak Bazarına Nəzarət Dövlət Xidməti",
    "Ekologiya və Təbii Sərvətlər Nazirliyi",
    NULL};

const char *const nation_words_supports[] = {
    "Startap şəhadətnaməsi",
    "Kənd təsərrüfatı texnikası üçün subsidiya",
    "Güzəştli kredit üzrə faiz güzəşti",
    "Biznes planın hazırlanması üzrə məsləhət",
    "İxrac sərgisində iştirak xərclərinin ödənilməsi",
    "Sahibkarlıq üzrə təlim kursu",
    "Qrant müsabiqəsi üzrə maliyyə yardımı",
    NULL};

const struct nation_words_place nation_words_baku[] = {
    {"Bakı şəhəri, Nəsimi rayonu", "AZ1000"},
    {"Bakı şəhəri, Yasamal rayonu", "AZ1065"},
    {"Bakı şəhəri, Binəqədi rayonu", "AZ1102"},
    {"Bakı şəhəri, Nərimanov rayonu", "AZ1052"},
    {"Bakı şəhəri, Xətai rayonu", "AZ1025"},
    {"Bakı şəhəri, Sabunçu rayonu", "AZ1040"},
    {"Bakı şəhəri, Suraxanı rayonu", "AZ1043"},
    {"Bakı şəhəri, Səbail rayonu", "AZ1001"},
    {"Bakı şəhəri, Nizami rayonu", "AZ1060"},
    {"Bakı şəhəri, Qaradağ rayonu", "AZ1083"},
    {"Bakı şəhəri, Xəzər rayonu", "AZ1044"},
    {NULL, NULL}};

const struct nation_words_place nation_words_places[] = {
    {"Gəncə şəhəri", "AZ2000"},
    {"Sumqayıt şəhəri", "AZ5000"},
    {"Mingəçevir şəhəri", "AZ4500"},
    {"Şirvan şəhəri", "AZ1800"},
    {"Lənkəran şəhəri", "AZ4200"},
    {"Şəki şəhəri", "AZ5500"},
    {"Naxçıvan şəhəri", "AZ7000"},
    {"Yevlax şəhəri", "AZ6600"},
    {"Quba rayonu", "AZ4000"},
    {"Xaçmaz rayonu", "AZ2700"},
    {"Bərdə rayonu", "AZ0900"},
    {"Ağdam rayonu", "AZ0200"},
    {"Cəlilabad rayonu", "AZ1500"},
    {"Masallı rayonu", "AZ4400"},
    {"Şəmkir rayonu", "AZ5700"},
    {"Tovuz rayonu", "AZ6000"},
    {"Qazax rayonu", "AZ3500"},
    {"İmişli rayonu", "AZ3000"},
    {"Sabirabad rayonu", "AZ5400"},
    {"Göyçay rayonu", "AZ2300"},
    {"Zaqatala rayonu", "AZ6200"},
    {"Qəbələ rayonu", "AZ3600"},
    {"İsmayıllı rayonu", "AZ3100"},
    {"Şamaxı rayonu", "AZ5600"},
    {"Ağcabədi rayonu", "AZ0400"},
    {"Füzuli rayonu", "AZ1900"},
    {"Şuşa şəhəri", "AZ5800"},
    {"Abşeron rayonu", "AZ0100"},
    {"Astara rayonu", "AZ0700"},
    {"Oğuz rayonu", "AZ4800"},
    {NULL, NULL}};

const struct nation_words_activity nation_words_activities[] = {
    {"4711101", "Ərzaq mallarının pərakəndə satışı"},
    {"4932101", "Taksi ilə sərnişin daşınması"},
    {"5610101", "Restoran və kafelərin fəaliyyəti"},
    {"4520102", "Avtomobillərin təmiri"},
    {"9602101", "Bərbər və gözəllik salonları"},
    {"4771201", "Geyimlərin pərakəndə satışı"},
    {"0111001", "Dənli bitkilərin becərilməsi"},
    {"0141001", "Südlük iribuynuzlu mal-qaranın yetişdirilməsi"},
    {"4941001", "Yükdaşıma nəqliyyatının fəaliyyəti"},
    {"4120002", "Yaşayış binalarının tikintisi"},
    {"6201001", "Kompüter proqramlarının hazırlanması"},
    {"1071001", "Çörək və şirniyyat məmulatlarının istehsalı"},
    {"8559901", "Kurslar və repetitorluq"},
    {"4773101", "Əczaçılıq mallarının satışı"},
    {"6920101", "Mühasibat uçotu üzrə xidmətlər"},
    {"5510101", "Mehmanxanaların fəaliyyəti"},
    {"3109101", "Mebel istehsalı"},
    {"7911001", "Turizm agentliklərinin fəaliyyəti"},
    {NULL, NULL}};

uint32_t nation_words_count(const char *const *list)
{
    uint32_t count = 0;

    while (list[count] != NULL)
        count++;
    return count;
}
